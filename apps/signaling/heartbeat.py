"""Remembering which pages live: one write for all sockets of the process, not one for each ping."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from django.db import DatabaseError

from foundation.background import Background
from meetings.actions import enter
from outbox.database import in_database

log = logging.getLogger(__name__)

#: A place counts as connected for 15 s after it was seen; this is a small part of it.
WRITE_SECONDS = 2.0


class Heartbeat:
    """One per process. ``heard`` is called for each ping and touches no database."""

    def __init__(self) -> None:
        self._heard: set[UUID] = set()
        self._background = Background("heartbeat", self._write)

    def heard(self, socket: UUID) -> None:
        """The page behind ``socket`` lives."""
        self._heard.add(socket)
        self._background.ensure_running()

    async def _write(self) -> None:
        while self._heard:
            await asyncio.sleep(WRITE_SECONDS)
            heard, self._heard = self._heard, set()
            try:
                await in_database(enter.seen, heard)
            except DatabaseError:
                log.warning("it could not be noted which pages live; the next ping tries again")


heartbeat = Heartbeat()
