"""Tickets: short-lived, single-use, for one seat, meeting and purpose."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from access.verbs import Verb
from audit.clock import database_now
from foundation.errors import ConsiliumError
from foundation.wire.browser import Mode, Purpose
from meetings import tickets
from meetings.actions import enter, host, plan
from meetings.lifecycle import PlaceState
from meetings.models import Meeting, Participation, Seat, SpentTicket
from tests.audit.reading import refused
from tests.cast import INTERPRETER_EMAIL, INTERPRETER_NAME
from tests.meetings.visit import acting_through, admitted, host_seated, redeemed, verified, waiting
from vault import signing
from vault.models import SigningKey


def claims(of: Seat, **changed: object) -> dict[str, object]:
    now = int(database_now().timestamp())
    return {
        "aud": tickets.AUDIENCE,
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + tickets.TICKET_SECONDS,
        "org": str(of.organisation_id),
        "seat": str(of.pk),
        "gen": of.generation,
        "for": "wait",
        **changed,
    }


def refusal_of(token: str) -> str:
    with pytest.raises(ConsiliumError) as caught:
        tickets.spend(token)
    return caught.value.code


@pytest.fixture
def seat(cast) -> Seat:
    cast.planned, cast.issued = cast.meeting()
    return verified(cast.issued)


def test_a_ticket_says_whom_and_what_it_is_for(seat):
    ticket = tickets.spend(enter.wait_ticket(acting_through(seat), seat))
    assert (ticket.seat_id, ticket.generation, ticket.purpose) == (seat.pk, 1, Purpose.WAIT)
    lasts = (ticket.expires_at - timezone.now()).total_seconds()
    assert 0 < lasts <= 60


def test_a_ticket_serves_once(seat):
    token = enter.wait_ticket(acting_through(seat), seat)
    tickets.spend(token)
    assert refusal_of(token) == "ticket_spent"
    assert refusal_of(token) == "ticket_spent"


def test_an_expired_ticket_is_refused_and_not_even_spent(seat):
    now = int(database_now().timestamp())
    token = signing.sign(SigningKey.Purpose.TICKET, claims(seat, exp=now))
    assert refusal_of(token) == "ticket_expired"
    assert not SpentTicket.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"jti": "no-uuid"},
        {"jti": 7},
        {"jti": None},
        {"seat": "x"},
        {"seat": 7},
        {"org": "x"},
        {"gen": "x"},
        {"gen": None},
        {"exp": "x"},
        {"exp": None},
        {"exp": 1e300},
        {"exp": 10**18},
        {"exp": -(10**18)},
        {"for": "play"},
        {"for": None},
    ],
)
def test_a_ticket_of_another_shape_is_refused(seat, changed):
    assert refusal_of(signing.sign(SigningKey.Purpose.TICKET, claims(seat, **changed))) in {
        "ticket_invalid",
        "ticket_expired",
    }


@pytest.mark.parametrize("missing", ["aud", "jti", "exp", "org", "seat", "gen", "for"])
def test_a_ticket_that_lacks_something_is_refused(seat, missing):
    short = claims(seat)
    del short[missing]
    assert refusal_of(signing.sign(SigningKey.Purpose.TICKET, short)) == "ticket_invalid"


@pytest.mark.parametrize("audience", ["", "consilium:media-worker", ["consilium:signal"], None])
def test_a_ticket_for_another_audience_is_refused(seat, audience):
    token = signing.sign(SigningKey.Purpose.TICKET, claims(seat, aud=audience))
    assert refusal_of(token) in {"ticket_purpose", "ticket_invalid"}


def test_a_media_lease_is_no_ticket(seat):
    assert refusal_of(signing.sign(SigningKey.Purpose.LEASE, claims(seat))) == "ticket_invalid"


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 2000, "…", "\0"])
@pytest.mark.usefixtures("cast")
def test_garbage_is_no_ticket(token):
    assert refusal_of(token) == "ticket_invalid"


def test_spent_tickets_are_remembered_longer_than_they_last(seat):
    tickets.spend(enter.wait_ticket(acting_through(seat), seat))
    assert tickets.forget_expired() == 0
    SpentTicket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert tickets.forget_expired() == 1


# ------------------------------------------------------------ who gets one


def test_who_is_not_verified_does_not_wait(cast):
    _, issued = cast.meeting()
    seat = redeemed(issued).seat
    with refused(Verb.ROOM_WAIT, "not_verified"):
        enter.wait_ticket(acting_through(seat), seat)
    with refused(Verb.ROOM_JOIN, "not_verified"):
        enter.join_ticket(acting_through(seat), seat)


def test_who_waits_is_seen_and_does_not_join(cast, seat):
    enter.wait_ticket(acting_through(seat), seat)
    place = Participation.objects.get(pk=seat.participation_id)
    assert place.state == PlaceState.WAITING
    assert place.waiting_since is not None
    with refused(Verb.ROOM_JOIN, "not_admitted"):
        enter.join_ticket(acting_through(seat), seat)


def test_asking_again_to_wait_keeps_the_place_in_the_queue(cast, seat):
    enter.wait_ticket(acting_through(seat), seat)
    since = Participation.objects.get(pk=seat.participation_id).waiting_since
    enter.wait_ticket(acting_through(seat), seat)
    assert Participation.objects.get(pk=seat.participation_id).waiting_since == since


@pytest.mark.parametrize(
    ("who", "reason"),
    [("clinician", "not_admitted"), ("colleague", "not_permitted"), ("stranger", "not_found")],
)
def test_nobody_joins_on_somebody_elses_seat(cast, seat, who, reason):
    with refused(Verb.ROOM_JOIN, reason):
        enter.join_ticket(cast.acting(getattr(cast, who)), seat)


def test_who_was_admitted_joins_and_returns(cast):
    meeting, issued = cast.meeting()
    seat = admitted(cast, meeting, issued)
    assert tickets.spend(enter.join_ticket(acting_through(seat), seat)).purpose is Purpose.JOIN
    host.leave(acting_through(seat), seat.participation_id)
    assert enter.join_ticket(acting_through(seat), seat)
    assert Participation.objects.get(pk=seat.participation_id).state == PlaceState.ADMITTED


@pytest.mark.parametrize(
    ("deed", "reason"), [("remove_participant", "removed"), ("end_meeting", "meeting_closed")]
)
def test_who_is_out_gets_no_ticket(cast, deed, reason):
    meeting, issued = cast.meeting()
    seat = admitted(cast, meeting, issued)
    arguments = [meeting.pk] + ([seat.participation_id] if deed == "remove_participant" else [])
    actor = acting_through(seat)
    getattr(host, deed)(cast.acting(cast.clinician), *arguments)
    Seat.objects.filter(pk=seat.pk).update(state="current")  # even if the seat had survived
    seat.refresh_from_db()
    with refused(Verb.ROOM_JOIN, reason):
        enter.join_ticket(actor, seat)
    with refused(Verb.ROOM_WAIT, reason):
        enter.wait_ticket(actor, seat)


def test_the_host_opens_the_meeting_by_joining(cast):
    meeting, _ = cast.meeting()
    seat, _ = host_seated(cast, meeting)
    assert Meeting.objects.get(pk=meeting.pk).state == "planned"
    enter.join_ticket(cast.acting(cast.clinician), seat)
    assert Meeting.objects.get(pk=meeting.pk).state == "open"


def test_a_call_that_is_full_takes_nobody_more(cast):
    meeting, issued = cast.meeting(Mode.GOVERNED)
    seat = admitted(cast, meeting, issued)
    Meeting.objects.filter(pk=meeting.pk).update(mode=Mode.PRIVATE)  # two places
    for _ in range(2):
        Participation.objects.create(
            organisation=cast.hospital,
            meeting=meeting,
            guest=seat.participation.guest,
            role="guest",
            state=PlaceState.ADMITTED,
            socket=uuid4(),
            seen_at=timezone.now(),
        )
    seat = Seat.objects.get(pk=seat.pk)
    with refused(Verb.ROOM_JOIN, "meeting_full"):
        enter.join_ticket(acting_through(seat), seat)
    Participation.objects.exclude(pk=seat.participation_id).update(
        seen_at=timezone.now() - timedelta(minutes=1)
    )
    assert enter.join_ticket(acting_through(seat), seat), "a page that is gone holds no place"


def test_a_guest_waits_for_their_own_meeting_only(cast, seat):
    other, _ = cast.meeting(Mode.GOVERNED)
    more = plan.invite_guest(
        cast.acting(cast.clinician), other.pk, plan.NewGuest(INTERPRETER_NAME, INTERPRETER_EMAIL)
    )
    elsewhere = waiting(more)
    with refused(Verb.ROOM_WAIT, "not_permitted"):
        enter.wait_ticket(acting_through(seat), elsewhere)
