"""A host's messages.

A call may outlast the sign-in it began with, and a socket may outlast the account. So who acts is
read anew from the seat for each of these deeds, not from the moment of the hello.
"""

from __future__ import annotations

from foundation.actor import Actor
from foundation.wire import browser as wire
from meetings import seats
from meetings.actions import host
from meetings.models import Seat
from signaling.hello import Connection
from signaling.outgoing import NOTHING, Outgoing


def admit(connection: Connection, message: wire.Admit) -> Outgoing:
    host.admit_guest(_acting(connection), connection.meeting_id, message.participation)
    return NOTHING


def decline(connection: Connection, message: wire.Decline) -> Outgoing:
    host.decline_guest(_acting(connection), connection.meeting_id, message.participation)
    return NOTHING


def remove(connection: Connection, message: wire.Remove) -> Outgoing:
    host.remove_participant(_acting(connection), connection.meeting_id, message.participation)
    return NOTHING


def end_meeting(connection: Connection, message: wire.EndMeeting) -> Outgoing:
    host.end_meeting(_acting(connection), connection.meeting_id)
    return NOTHING


def _acting(connection: Connection) -> Actor:
    seat = Seat.objects.select_related("participation__person").get(pk=connection.seat_id)
    return seats.occupant_of(seat)
