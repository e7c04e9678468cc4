"""News of media for the contexts above. Announced inside the change's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RoomLeased:
    """A worker was given a place of this room: perhaps a worker that knows nothing of it yet."""

    organisation_id: UUID
    meeting_id: UUID
    worker_id: UUID
