"""Who acts by a message.

A call may outlast the sign-in it began with, and a socket may outlast the account. So who acts is
read anew from the seat for each deed that matters, not from the moment of the hello.
"""

from __future__ import annotations

from foundation.actor import Actor
from meetings import seats
from meetings.models import Seat
from signaling.hello import Connection


def acting(connection: Connection) -> Actor:
    seat = Seat.objects.select_related("participation__person").get(pk=connection.seat_id)
    return seats.occupant_of(seat)
