"""The relay: in each web process one task that claims owed rows and delivers them.

A commit in the same process wakes it at once; rows written elsewhere (Celery, another web
process) are found by polling every ``POLL_SECONDS``. A delivery that fails stays owed: its claim
lapses and some relay tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from uuid import uuid4

from django.db import DatabaseError

from outbox import claims
from outbox.database import in_database
from outbox.models import OutboxRow
from outbox.publishing import when_published
from outbox.topics import deliverer_of

log = logging.getLogger(__name__)

#: The longest a row written by another process waits before a relay sees it.
POLL_SECONDS = 0.2


class Relay:
    """One per process; ``ensure_running`` may be called from every request."""

    def __init__(self) -> None:
        self._id = uuid4()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        when_published(self._nudge)

    def ensure_running(self) -> None:
        """Start the relay on the running event loop unless it runs there already."""
        if self._task is not None and not self._task.done():
            return
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._task = self._loop.create_task(self._run(self._wake), name="outbox-relay")

    def _nudge(self) -> None:
        if self._loop is not None and self._wake is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def _run(self, wake: asyncio.Event) -> None:
        while True:
            wake.clear()
            try:
                while await self.deliver_owed():
                    pass
            except DatabaseError:
                log.warning("the outbox can't be read at the moment", exc_info=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), POLL_SECONDS)

    async def deliver_owed(self) -> int:
        """Deliver one batch; returns how many rows were claimed."""
        rows = await in_database(self._claim_owed)
        arrived: list[int] = []
        for row in rows:
            try:
                await deliverer_of(row.topic)(row.payload)
            except Exception:
                log.exception("outbox row %s of topic %s was not delivered", row.pk, row.topic)
            else:
                arrived.append(row.pk)
        if arrived:
            await in_database(claims.delivered, arrived)
        return len(rows)

    def _claim_owed(self) -> list[OutboxRow]:
        ids = claims.owed()
        return claims.claim(ids, self._id) if ids else []


relay = Relay()
