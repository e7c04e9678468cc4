"""Keeps child processes alive and ends them in order.

A child that dies is started again: at once the first time, because a call is waiting, and then
after longer and longer pauses, because something is wrong. One that has run for
``STEADY_SECONDS`` has earned a fresh start.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence

from consilium.environment import CANNOT_START
from consilium.launch import terminal
from consilium.launch.child import Child, ChildSpec, how_it_ended

PAUSES_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0)
STEADY_SECONDS = 10.0

# From the first request to stop until whoever is still there is killed. Container engines and
# systemd wait at least this long before they do it themselves.
STOP_SECONDS = 10.0

# `timeout`, `make` and terminals may each pass on the same request; only a later one is impatience.
SAME_REQUEST_SECONDS = 1.0

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StepFailed(Exception):
    """A preparing step did not succeed; nothing was started.

    The message is one line, or empty when the step itself has said what is wrong.
    """


class Supervisor:
    """Runs ``children`` until asked to stop, then ends them in ``stop_order``.

    ``say(name, line)`` gets every line a child writes, and ours with an empty name. ``changed``
    is called with the process ids by name whenever one is started after the installation was
    ready; ``ready`` is awaited once, after the first start.
    """

    def __init__(
        self,
        children: Sequence[ChildSpec],
        *,
        stop_order: Sequence[str] = (),
        steps: Sequence[ChildSpec] = (),
        say: Callable[[str, str], None],
        ready: Callable[[], Awaitable[None]] | None = None,
        changed: Callable[[dict[str, int]], None] | None = None,
    ) -> None:
        self._specs = {spec.name: spec for spec in children}
        rest = [spec.name for spec in children if spec.name not in stop_order]
        self._stop_order = [name for name in (*stop_order, *rest) if name in self._specs]
        self._steps = steps
        self._say = say
        self._ready = ready
        self._changed = changed
        self._is_ready = False
        self._running: dict[str, Child] = {}
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._asked_at = 0.0

    async def run(self) -> None:
        """Do the steps, start everybody, return when all have ended after a request to stop.

        ``StepFailed`` when a step did not succeed. No child is left on any way out. After a request
        to stop, further ones reach nobody: the process is expected to end.
        """
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self.stop)
        terminal.when_closed(sys.stdout.fileno(), self.stop)
        try:
            for step in self._steps:
                await self._do(step)
            await self._watch()
        finally:
            for child in self._running.values():
                child.kill()
            if self._stopping.is_set():
                # The same request, passed on once more, must not end us by its signal now: what is
                # left to do is to leave, and the status says how it went.
                signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
            for number in _STOP_SIGNALS:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Begin to stop; asked again a little later, do not wait for anybody."""
        now = asyncio.get_running_loop().time()
        if not self._stopping.is_set():
            self._asked_at = now
            self._stopping.set()
        elif now - self._asked_at > SAME_REQUEST_SECONDS:
            self._hurry.set()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of those who run now, by name."""
        return {name: child.pid for name, child in self._running.items()}

    async def _do(self, step: ChildSpec) -> None:
        """One preparing step: it must succeed before anybody is started."""
        if self._stopping.is_set():
            return
        child = Child(step, lambda line: self._say("", line))
        self._running[step.name] = child
        asked = asyncio.create_task(self._stopping.wait())
        ended = asyncio.create_task(child.gone.wait())
        await asyncio.wait((asked, ended), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not child.gone.is_set():
            await self._end(child, STOP_SECONDS)
        await ended
        del self._running[step.name]
        if child.returncode == CANNOT_START and not self._stopping.is_set():
            raise StepFailed
        if child.returncode and not self._stopping.is_set():
            raise StepFailed(f"{step.name} {how_it_ended(child.returncode)}; nothing was started.")

    async def _watch(self) -> None:
        """Everybody runs from here until a request to stop."""
        if self._stopping.is_set():
            return
        async with asyncio.TaskGroup() as tasks:
            for name in self._specs:
                tasks.create_task(self._keep(name))
            readiness = tasks.create_task(self._until_ready())
            await self._stopping.wait()
            readiness.cancel()
            self._say("", "Stopping.")
            await self._stop_all()

    async def _keep(self, name: str) -> None:
        """Start one child, and again whenever it ends although nobody asked it to."""
        loop = asyncio.get_running_loop()
        failures = 0
        while not self._stopping.is_set():
            child = Child(self._specs[name], lambda line: self._say(name, line))
            self._running[name] = child
            self._tell()
            await child.gone.wait()
            if self._stopping.is_set():
                return
            del self._running[name]
            if loop.time() - child.started_at >= STEADY_SECONDS:
                failures = 0
            pause = PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)]
            failures += 1
            when = f"again in {pause:g} s" if pause else "again now"
            self._say("", f"{name} {how_it_ended(child.returncode or 0)}; starting it {when}.")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _until_ready(self) -> None:
        if self._ready is not None:
            await self._ready()
        self._is_ready = True
        self._tell()

    def _tell(self) -> None:
        if self._is_ready and self._changed is not None:
            self._changed(self.pids)

    async def _stop_all(self) -> None:
        """End everybody, one after the other; all together within ``STOP_SECONDS``."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STOP_SECONDS
        for name in self._stop_order:
            if (child := self._running.get(name)) is not None:
                await self._end(child, deadline - loop.time())
                del self._running[name]

    async def _end(self, child: Child, seconds: float) -> None:
        """SIGTERM, its time to leave (``seconds`` at most), SIGKILL."""
        child.terminate()
        patience = max(0.0, min(child.spec.stop_seconds, seconds))
        hurry = asyncio.create_task(self._hurry.wait())
        gone = asyncio.create_task(child.gone.wait())
        await asyncio.wait((hurry, gone), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not child.gone.is_set():
            self._say("", f"{child.spec.name} did not leave in time and was killed.")
            child.kill()
        await gone
