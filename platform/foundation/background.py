"""Work that a process does beside its connections, once, however many ask for it.

Daphne tells nobody when a process begins, so whoever needs such work asks for it each time
(decision 14).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class Background:
    """``work()`` runs at most once at a time; when it has ended, it can be asked for again."""

    def __init__(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        self._name = name
        self._work = work
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def ensure_running(self) -> None:
        """Start it on the running event loop unless it runs already."""
        if not self.is_running:
            # Kept, because the loop itself holds its tasks weakly.
            self._task = asyncio.get_running_loop().create_task(self._work(), name=self._name)

    def cancel(self) -> None:
        """End it at its next wait."""
        if self._task is not None:
            self._task.cancel()
