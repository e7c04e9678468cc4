"""The relay: in each web process, what claims owed rows and delivers them.

Every topic has a lane of its own: a broker that does not answer holds up tasks, and never the
hints that pages wait for. A commit in the same process wakes its topic's lane at once; rows written
elsewhere (Celery, another web process) are found by polling every ``POLL_SECONDS``. A delivery
that fails or takes too long stays owed: its claim lapses and some relay tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from uuid import uuid4

from django.db import DatabaseError

from foundation.background import Background
from outbox import claims
from outbox.database import in_database
from outbox.models import OutboxRow
from outbox.publishing import when_published
from outbox.topics import delivered_topics, deliverer_of

log = logging.getLogger(__name__)

#: The longest a row written by another process waits before a relay sees it.
POLL_SECONDS = 0.2

#: A delivery is given up when its claim has lapsed, for then another relay may be at it.
DELIVERY_SECONDS = float(claims.CLAIM_SECONDS)


class Relay:
    """One per process; ``ensure_running`` may be called from every request."""

    def __init__(self) -> None:
        self._id = uuid4()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wakes: dict[str, asyncio.Event] = {}
        self._background = Background("outbox-relay", self._run)
        self.ensure_running = self._background.ensure_running
        when_published(self._nudge)

    def _nudge(self, topic: str) -> None:
        wake = self._wakes.get(topic)
        if wake is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(wake.set)

    async def _run(self) -> None:
        lanes = {topic: asyncio.Event() for topic in delivered_topics()}
        self._loop, self._wakes = asyncio.get_running_loop(), lanes
        async with asyncio.TaskGroup() as tasks:
            for topic, wake in lanes.items():
                tasks.create_task(self._keep_delivering(topic, wake))

    async def _keep_delivering(self, topic: str, wake: asyncio.Event) -> None:
        while True:
            wake.clear()
            try:
                while await self.deliver_owed(topic):
                    pass
            except DatabaseError:
                log.warning("the outbox can't be read at the moment", exc_info=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), POLL_SECONDS)

    async def deliver_owed(self, topic: str) -> int:
        """Deliver one batch of ``topic``; returns how many rows were claimed."""
        rows = await in_database(self._claim_owed, topic)
        arrived: list[int] = []
        for row in rows:
            try:
                async with asyncio.timeout(DELIVERY_SECONDS):
                    await deliverer_of(topic)(row.payload)
            except TimeoutError:
                log.warning("nobody takes topic %s at the moment; it stays owed", topic)
                break  # the claims of the rest have lapsed as well
            except Exception:
                log.exception("outbox row %s of topic %s was not delivered", row.pk, topic)
            else:
                arrived.append(row.pk)
        if arrived:
            await in_database(claims.delivered, arrived)
        return len(rows)

    def _claim_owed(self, topic: str) -> list[OutboxRow]:
        ids = claims.owed(topics=[topic])
        return claims.claim(ids, self._id) if ids else []


relay = Relay()
