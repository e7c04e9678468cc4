"""A host's messages."""

from __future__ import annotations

from foundation.wire import browser as wire
from meetings.actions import host
from signaling.handlers.acting import acting
from signaling.hello import Connection
from signaling.outgoing import NOTHING, Outgoing


def admit(connection: Connection, message: wire.Admit) -> Outgoing:
    host.admit_guest(acting(connection), connection.meeting_id, message.participation)
    return NOTHING


def decline(connection: Connection, message: wire.Decline) -> Outgoing:
    host.decline_guest(acting(connection), connection.meeting_id, message.participation)
    return NOTHING


def remove(connection: Connection, message: wire.Remove) -> Outgoing:
    host.remove_participant(acting(connection), connection.meeting_id, message.participation)
    return NOTHING


def end_meeting(connection: Connection, message: wire.EndMeeting) -> Outgoing:
    host.end_meeting(acting(connection), connection.meeting_id)
    return NOTHING
