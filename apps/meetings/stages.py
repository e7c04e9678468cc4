"""Where a person stands on the way into a call: what their page shows next."""

from __future__ import annotations

from dataclasses import dataclass

from audit.clock import database_now
from foundation.actor import Actor
from meetings.actions.verify import CODE_LASTS
from meetings.lifecycle import MeetingState, PlaceState, SeatState
from meetings.models import Meeting, Seat


@dataclass(frozen=True, slots=True)
class Stage:
    """``name``: verify, check, wait, call or ended; ``reason`` says why it ended.

    ``sent_to``: a code that is still valid was asked for; the mailbox, masked.
    ``resume``: this device was in the call and returns without a tap.
    """

    name: str
    display_name: str
    host: bool
    reason: str = ""
    may_return: bool = False
    resume: bool = False
    sent_to: str = ""


def stage_of(actor: Actor, meeting: Meeting, seat: Seat | None) -> Stage:
    """The stage of whoever holds ``seat`` (or, without one, of a host about to sit down)."""
    host = meeting.is_hosted_by(actor)
    if seat is None:
        if meeting.state == MeetingState.OVER:
            return Stage("ended", "", host, reason="ended")
        return Stage("check", "", host)
    place = seat.participation
    known = seat.state == SeatState.CURRENT
    # A device that has not proven whose it is learns no name.
    name = place.display_name if known else ""
    if meeting.state == MeetingState.OVER:
        return Stage("ended", name, host, reason="ended")
    if place.state == PlaceState.REMOVED:
        return Stage("ended", name, host, reason="removed")
    if place.state == PlaceState.DECLINED:
        return Stage("ended", name, host, reason="declined")
    if not known:
        sent_to = masked(place.guest.contact) if place.guest and _code_is_fresh(seat) else ""
        if place.is_host:
            return Stage("ended", name, host, reason="taken_over", may_return=True)
        return Stage("verify", name, host, sent_to=sent_to)
    if place.state == PlaceState.ADMITTED:
        return Stage("call", name, host, resume=place.socket_purpose == "join")
    if place.state == PlaceState.WAITING:
        return Stage("wait", name, host, resume=place.socket_purpose == "wait")
    if place.state == PlaceState.LEFT:
        return Stage("ended", name, host, reason="left", may_return=True)
    return Stage("check", name, host)


def _code_is_fresh(seat: Seat) -> bool:
    return (
        seat.code_requested_at is not None and seat.code_requested_at + CODE_LASTS > database_now()
    )


def masked(email: str) -> str:
    """``p•••@e•••.test``: enough to know which mailbox, too little to learn it."""
    local, _, domain = email.partition("@")
    host, dot, ending = domain.rpartition(".")
    return f"{local[:1]}•••@{host[:1]}•••{dot}{ending}"
