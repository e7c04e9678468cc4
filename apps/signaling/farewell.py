"""Why a socket's time is over, read from the room itself: a lost hint changes nothing."""

from __future__ import annotations

from foundation.wire import browser as wire
from meetings.lifecycle import MeetingState, PlaceState
from meetings.queries import Room
from signaling.hello import Connection


def farewell(now: Room, connection: Connection) -> wire.Goodbye | None:
    """What to tell the page before its socket is closed; None while it may stay."""
    if now.state == MeetingState.OVER:
        return wire.Goodbye(reason="ended", may_return=False)
    if now.own_state == PlaceState.REMOVED or not now.own_account_is_active:
        return wire.Goodbye(reason="removed", may_return=False)
    if now.own_state == PlaceState.DECLINED:
        return wire.Goodbye(reason="declined", may_return=False)
    if now.own_state == PlaceState.LEFT and connection.purpose is wire.Purpose.JOIN:
        return wire.Goodbye(reason="left", may_return=True)
    if now.own_state == PlaceState.VERIFIED:
        return wire.Goodbye(reason="left", may_return=True)  # the waiting room
    if now.own_generation != connection.generation:
        return wire.Goodbye(reason="taken_over", may_return=True)
    if now.own_socket not in (connection.socket, None):
        return wire.Goodbye(reason="taken_over", may_return=True)
    return None
