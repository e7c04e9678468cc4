"""One child process: started so that it cannot be lost, heard line by line, ended for sure.

Three things make it impossible to lose one. Each child leads its own process group, so whatever
it starts is ended with it. The kernel kills it when the supervisor dies, however that happens
(``PR_SET_PDEATHSIG``). And its end is seen through a pidfd before the process id is given back,
so no signal ever reaches a stranger who was given the same id.

Everything runs in one thread. That matters: the death signal is tied to the *thread* that forked,
and code between fork and exec is safe only where no other thread can hold a lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True)  # loaded before any fork

# A process that writes without ever ending a line must not fill our memory.
LONGEST_LINE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to start. ``environment`` is the whole of it: nothing else is inherited.

    ``stop_seconds`` is how long it may take to leave after SIGTERM.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = 3.0


class Child:
    """A running process. ``hear`` gets each line it writes; ``gone`` is set when it has ended."""

    def __init__(self, spec: ChildSpec, hear: Callable[[str], None]) -> None:
        """Start it now, in the running event loop. ``OSError`` when it cannot be started."""
        self.spec = spec
        self.gone = asyncio.Event()
        self.returncode: int | None = None
        self._hear = hear
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        self.started_at = self._loop.time()
        self._process = subprocess.Popen(
            spec.command,
            env=dict(spec.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - one thread, see above
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        self._loop.add_reader(self._output, self._read)
        self._pidfd = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._pidfd, self._ended)

    @property
    def pid(self) -> int:
        return self._process.pid

    def terminate(self) -> None:
        """Ask it and all it has started to leave."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all it has started, now."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self.gone.is_set():  # until then the id is still ours: it has not been waited for
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _read(self) -> None:
        """Pass on every whole line that has arrived."""
        while True:
            try:
                data = os.read(self._output, LONGEST_LINE_BYTES)
            except BlockingIOError:
                return
            if not data:
                self._loop.remove_reader(self._output)
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            if len(self._rest) >= LONGEST_LINE_BYTES:
                lines, self._rest = [*lines, self._rest], b""
            for line in lines:
                self._hear(line.decode(errors="replace").rstrip("\r"))

    def _ended(self) -> None:
        """The leader is a zombie: end what it left, hear its last words, give the id back."""
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.kill()
        self._read()
        self._loop.remove_reader(self._output)
        assert self._process.stdout is not None
        self._process.stdout.close()
        if self._rest:
            self._hear(self._rest.decode(errors="replace"))
        self.returncode = self._process.wait()
        self.gone.set()


def how_it_ended(returncode: int) -> str:
    """An exit status in words."""
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with status {returncode}"


def _die_with(parent: int) -> Callable[[], None]:
    """Runs in the child before exec: the kernel kills it when ``parent`` is gone."""

    def bind() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked to be told
            os._exit(1)

    return bind
