"""News of meetings for the contexts above. Announced inside the change's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PlaceEnded:
    """Somebody's media must stop now: they left, were removed, or another device took over."""

    organisation_id: UUID
    meeting_id: UUID
    participation_id: UUID


@dataclass(frozen=True, slots=True)
class MeetingEnded:
    organisation_id: UUID
    meeting_id: UUID


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """Somebody agreed, on their own screen, to what the meeting asks."""

    organisation_id: UUID
    meeting_id: UUID
    participation_id: UUID


@dataclass(frozen=True, slots=True)
class ConsentRefused:
    """Somebody who was asked does not agree."""

    organisation_id: UUID
    meeting_id: UUID
    participation_id: UUID


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn:
    """Somebody who had agreed does no more: what they agreed to stops for them now."""

    organisation_id: UUID
    meeting_id: UUID
    participation_id: UUID
