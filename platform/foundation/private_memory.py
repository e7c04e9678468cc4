"""What a process holds in memory stays there: no core dump, and nobody of the same user looks in.

For every process that holds a key or what people said. The limit is inherited, the kernel's mark
(``PR_SET_DUMPABLE``) is not: it is set anew by each program, and a crash then writes nothing even
where the limit was lifted. Whoever is root reads memory all the same.
"""

from __future__ import annotations

import ctypes
import resource

_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4  # linux/prctl.h


def keep_memory_private() -> None:
    """Call it first thing. Does less where the kernel is not Linux."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def is_memory_private() -> bool:
    """Whether it was called, by what the kernel says."""
    return (
        resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
        and ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0
    )
