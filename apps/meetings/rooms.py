"""Telling the pages of a meeting that something changed: names of groups, and hints.

A hint carries no state. Pages re-read the room and compare ``seq``, because a group message may
get lost on a slow socket.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import F

from meetings.models import Meeting
from outbox.publishing import publish
from outbox.topics import GROUP_TOPIC


def meeting_group(meeting_id: UUID) -> str:
    """Everybody of a meeting: those in the call and those who wait."""
    return f"meeting.{meeting_id.hex}"


def place_group(participation_id: UUID) -> str:
    """The pages of one place (two for a moment, when another device takes over)."""
    return f"place.{participation_id.hex}"


def room_changed(meeting: Meeting) -> None:
    """Raise the room's number and hint to everybody. Expects the change's transaction."""
    Meeting.objects.filter(pk=meeting.pk).update(seq=F("seq") + 1)
    _hint(meeting.organisation_id, meeting_group(meeting.pk), {"type": "room.changed"})


def place_ended(organisation_id: UUID, participation_id: UUID) -> None:
    """Hint to the pages of one place that their time may be over."""
    _hint(organisation_id, place_group(participation_id), {"type": "place.ended"})


def _hint(organisation_id: UUID, group: str, message: dict[str, object]) -> None:
    publish(GROUP_TOPIC, organisation_id, {"group": group, "message": message})
