"""The lives of a meeting, an invitation, a place in a meeting and a seat. Pure; read them aloud.

A *participation* is a person's or guest's place in one meeting; a *seat* is that place on one
device. One table each: (state, verb) → state. What is not in the table does not happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)


class IllegalTransition(ValueError):
    """This verb does nothing in this state."""


class MeetingState(StrEnum):
    PLANNED = "planned"  # nobody of the hosts has been there yet
    OPEN = "open"
    OVER = "over"


class InvitationState(StrEnum):
    ISSUED = "issued"
    REDEEMED = "redeemed"
    REVOKED = "revoked"
    EXPIRED = "expired"  # never stored: the clock decides
    SPENT = "spent"  # never stored: the use limit decides


class PlaceState(StrEnum):
    INVITED = "invited"
    VERIFIED = "verified"
    WAITING = "waiting"
    ADMITTED = "admitted"
    LEFT = "left"
    DECLINED = "declined"
    REMOVED = "removed"


class SeatState(StrEnum):
    PENDING = "pending"  # a device that has not proven whose it is
    CURRENT = "current"
    ENDED = "ended"  # another device took over; this one may verify again


MEETING: Mapping[tuple[MeetingState, str], MeetingState] = {
    (MeetingState.PLANNED, "open"): MeetingState.OPEN,
    (MeetingState.OPEN, "open"): MeetingState.OPEN,
    (MeetingState.PLANNED, "end"): MeetingState.OVER,
    (MeetingState.OPEN, "end"): MeetingState.OVER,
}

INVITATION: Mapping[tuple[InvitationState, str], InvitationState] = {
    (InvitationState.ISSUED, "redeem"): InvitationState.REDEEMED,
    (InvitationState.REDEEMED, "redeem"): InvitationState.REDEEMED,
    (InvitationState.ISSUED, "revoke"): InvitationState.REVOKED,
    (InvitationState.REDEEMED, "revoke"): InvitationState.REVOKED,
}

PLACE: Mapping[tuple[PlaceState, str], PlaceState] = {
    (PlaceState.INVITED, "verify"): PlaceState.VERIFIED,
    (PlaceState.VERIFIED, "verify"): PlaceState.VERIFIED,
    (PlaceState.WAITING, "verify"): PlaceState.WAITING,
    (PlaceState.ADMITTED, "verify"): PlaceState.ADMITTED,
    (PlaceState.LEFT, "verify"): PlaceState.LEFT,
    (PlaceState.VERIFIED, "wait"): PlaceState.WAITING,
    (PlaceState.WAITING, "wait"): PlaceState.WAITING,
    (PlaceState.ADMITTED, "wait"): PlaceState.ADMITTED,
    (PlaceState.LEFT, "wait"): PlaceState.LEFT,
    (PlaceState.WAITING, "admit"): PlaceState.ADMITTED,
    (PlaceState.WAITING, "decline"): PlaceState.DECLINED,
    (PlaceState.INVITED, "revoke"): PlaceState.DECLINED,
    (PlaceState.VERIFIED, "revoke"): PlaceState.DECLINED,
    (PlaceState.WAITING, "revoke"): PlaceState.DECLINED,
    (PlaceState.ADMITTED, "join"): PlaceState.ADMITTED,
    (PlaceState.LEFT, "join"): PlaceState.ADMITTED,
    (PlaceState.WAITING, "leave"): PlaceState.VERIFIED,
    (PlaceState.VERIFIED, "leave"): PlaceState.VERIFIED,
    (PlaceState.ADMITTED, "leave"): PlaceState.LEFT,
    (PlaceState.LEFT, "leave"): PlaceState.LEFT,
    (PlaceState.ADMITTED, "remove"): PlaceState.REMOVED,
    (PlaceState.LEFT, "remove"): PlaceState.REMOVED,
}

SEAT: Mapping[tuple[SeatState, str], SeatState] = {
    (SeatState.PENDING, "verify"): SeatState.CURRENT,
    (SeatState.ENDED, "verify"): SeatState.CURRENT,
    (SeatState.PENDING, "end"): SeatState.ENDED,
    (SeatState.CURRENT, "end"): SeatState.ENDED,
    (SeatState.ENDED, "end"): SeatState.ENDED,
}


def next_state(table: Mapping[tuple[S, str], S], state: str, verb: str) -> S:
    """The state after ``verb`` in ``state``. Raises ``IllegalTransition``."""
    for (from_state, known), to in table.items():
        if from_state == state and known == verb:
            return to
    raise IllegalTransition(f"{verb} in {state}")
