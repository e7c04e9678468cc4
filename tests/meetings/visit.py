"""The steps of a visit, for tests that begin somewhere on the way."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from foundation.actor import Actor, anonymous
from meetings import minting, seats
from meetings.actions import enter, host, plan, redeem, verify
from meetings.models import Meeting, Seat
from tests.cast import Cast


def redeemed(issued: plan.Issued) -> redeem.Redeemed:
    """A pending seat: the link was tapped."""
    return redeem.redeem_link(anonymous(), issued.link_secret.text)


def acting_through(seat: Seat) -> Actor:
    """Whoever holds ``seat``, as it is now."""
    return seats.occupant_of(Seat.objects.get(pk=seat.pk))


def code_for(seat: Seat) -> str:
    """A fresh one-time code, as the mail would hold it."""
    minted = verify.mint_code(seat.pk)
    assert minted is not None
    return minted.code


def verified(issued: plan.Issued) -> Seat:
    """A current seat: the code was typed."""
    seat = redeemed(issued).seat
    return verify.verify_code(acting_through(seat), seat.pk, code_for(seat))


def waiting(issued: plan.Issued) -> Seat:
    """A verified guest in the waiting room."""
    seat = verified(issued)
    enter.wait_ticket(acting_through(seat), seat)
    return seat


def admitted(cast: Cast, meeting: Meeting, issued: plan.Issued) -> Seat:
    """A guest whom the clinician let in."""
    seat = waiting(issued)
    host.admit_guest(cast.acting(cast.clinician), meeting.pk, seat.participation_id)
    return Seat.objects.get(pk=seat.pk)


def host_seated(cast: Cast, meeting: Meeting) -> tuple[Seat, Mapping[str, str]]:
    """The clinician's seat and the cookies of that browser."""
    secret = minting.seat_secret()
    seat = enter.take_host_seat(cast.acting(cast.clinician), meeting.pk, secret.text)
    return seat, cookies(meeting.pk, secret)


def cookies(meeting_id: UUID, secret: minting.Secret) -> dict[str, str]:
    """The cookies of the browser that holds the seat of ``secret``."""
    return {seats.cookie_name(meeting_id): secret.text}
