"""The seat cookie: which device sits in which meeting, and who acts through it.

The cookie's name carries the meeting, its value is the seat's secret. It is independent of the
sign-in session on purpose: an expired sign-in never ends a running call. ``__Host-`` makes the
browser keep it to this host over TLS (RFC 6265bis section 4.1.3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from access.requests import acting
from foundation.actor import Actor, ActorKind, Assurance, anonymous
from meetings.lifecycle import PlaceState, SeatState
from meetings.minting import Secret, hash_seat_secret
from meetings.models import Meeting, Seat

#: A seat's cookie outlives a long clinic day; the seat itself ends with its meeting.
COOKIE_SECONDS = 24 * 3600


#: 32 random bytes as base64url.
SECRET_LENGTH = 43


def cookie_name(meeting_id: UUID) -> str:
    return f"__Host-seat-{meeting_id.hex}"


def put_cookie(response: HttpResponse, meeting_id: UUID, secret: Secret) -> None:
    """Give this browser the seat."""
    response.set_cookie(
        cookie_name(meeting_id),
        secret.text,
        max_age=COOKIE_SECONDS,
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )


def secret_of(cookies: Mapping[str, str], meeting_id: UUID) -> str | None:
    """The seat cookie's value; None unless it is one that we made."""
    secret = cookies.get(cookie_name(meeting_id), "")
    return secret if len(secret) >= SECRET_LENGTH else None


def seat_of(cookies: Mapping[str, str], meeting_id: UUID) -> Seat | None:
    """The seat this browser holds in the meeting, whatever its state."""
    secret = secret_of(cookies, meeting_id)
    if secret is None:
        return None
    return (
        Seat.objects.filter(
            secret_hash=hash_seat_secret(secret), participation__meeting_id=meeting_id
        )
        .select_related(
            "participation__meeting__organisation",
            "participation__guest",
            "participation__person",
        )
        .first()
    )


def why_ended(seat: Seat) -> str:
    """The reason for which an ended seat opens nothing: not every end is another device."""
    if seat.participation.state == PlaceState.REMOVED:
        return "removed"
    if seat.participation.state == PlaceState.DECLINED:
        return "not_admitted"
    return "taken_over"


def occupant_of(seat: Seat) -> Actor:
    """Who acts through ``seat``: its guest, or the person who sat down as host."""
    place = seat.participation
    if place.person is not None and not place.person.is_active:
        return anonymous()  # a disabled person's seats are worth nothing
    proven = tuple(seat.verified_by) if seat.state == SeatState.CURRENT else ()
    return Actor(
        kind=ActorKind.GUEST if place.guest_id else ActorKind.PERSON,
        id=place.guest_id or place.person_id,
        organisation_id=seat.organisation_id,
        # A host sat down with a second factor; that holds as long as the seat does.
        assurance=Assurance(mfa=place.person_id is not None and bool(proven), verified_by=proven),
    )


def actor_and_seat(request: HttpRequest, meeting: Meeting) -> tuple[Actor, Seat | None]:
    """Who acts in this meeting from this browser.

    A seat counts before the sign-in, except that a signed-in host is never taken for the guest
    whose link they tried in the same browser.
    """
    seat = seat_of(request.COOKIES, meeting.pk)
    if meeting.is_hosted_by(acting(request)):
        own = seat if seat is not None and seat.participation.person_id else None
        return acting(request), own
    return (occupant_of(seat), seat) if seat is not None else (acting(request), None)
