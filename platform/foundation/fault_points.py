"""Places at which a process can be ended as if the machine had gone, to see what is left.

``CONSILIUM_FAULT_POINT`` names a file. Whoever reaches the point whose name is written in it takes
the file away and dies by SIGKILL: one death for each time that the file is written. Without the
variable nothing is looked at. Production refuses the variable (``consilium.environment``).

What a point is called is a promise to the tests alone.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

VARIABLE = "CONSILIUM_FAULT_POINT"

_ORDER = Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None


def reached(point: str) -> None:
    """The process is at ``point``. It goes on, unless a test wants it to end here."""
    if _ORDER is not None and _is_wanted(_ORDER, point):
        os.kill(os.getpid(), signal.SIGKILL)


def _is_wanted(order: Path, point: str) -> bool:
    try:
        if order.read_text(encoding="utf-8").strip() != point:
            return False
        order.unlink()  # of several who are here at once, one dies
    except FileNotFoundError:
        return False
    return True
