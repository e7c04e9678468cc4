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


@dataclass(frozen=True, slots=True)
class RecordingReported:
    """A worker that carries, or carried, the room says how a recording goes there.

    ``state`` and ``reason``: the words of ``foundation.wire.worker.Recording``; no reason is "".
    """

    meeting_id: UUID
    recording_id: UUID
    run_id: UUID | None
    state: str
    reason: str
