"""Finding workers that are gone: one task in each web process.

Only a web process can tell: a presence also lapses while no web process is there to keep it, and
then the calls on the worker go on. So a process that has just started first gives every worker
the time to dial in again.
"""

from __future__ import annotations

import asyncio
import logging

from foundation.background import Background
from media.actions import paths, workers
from media.models import PRESENCE_LASTS
from outbox.database import in_database

log = logging.getLogger(__name__)

#: How often lapsed presences are looked for.
LOOK_SECONDS = 2.0

#: From the start of a process until a lapsed presence means something: a worker's longest pause
#: between two attempts to dial in, and a lease.
SETTLE_SECONDS = PRESENCE_LASTS.total_seconds() + 4.0


async def _look_for_lost_workers() -> None:
    await asyncio.sleep(SETTLE_SECONDS)
    while True:
        try:
            await in_database(move_rooms_of_lost_workers)
        except Exception:
            log.exception("lost workers could not be looked for")
        await asyncio.sleep(LOOK_SECONDS)


def move_rooms_of_lost_workers() -> None:
    """Every room of a worker whose presence lapsed moves to another, or waits for one."""
    for worker_id in workers.lost_workers():
        paths.leave_worker(worker_id)


#: ``ensure_running`` may be called from every connection.
watch = Background("lost-workers", _look_for_lost_workers)
