"""One device at a time: on another one the person verifies again, and the old one is ended."""

from __future__ import annotations

import pytest

from access.verbs import Verb
from accounts.models import Person
from foundation.actor import anonymous
from foundation.wire import browser as wire
from meetings import minting, seats
from meetings.actions import enter, verify
from meetings.lifecycle import PlaceState, SeatState
from meetings.models import Participation, Seat
from outbox.models import OutboxRow
from signaling import hello
from tests.audit.reading import refused
from tests.meetings.visit import (
    acting_through,
    admitted,
    code_for,
    cookies,
    host_seated,
    redeemed,
    verified,
)


def second_device(issued) -> tuple[Seat, dict[str, str]]:
    taken = redeemed(issued)
    seat = verify.verify_code(acting_through(taken.seat), taken.seat.pk, code_for(taken.seat))
    return seat, cookies(seat.participation.meeting_id, taken.seat_secret)


def goodbyes() -> list[dict]:
    return [
        row.payload["message"]
        for row in OutboxRow.objects.order_by("id")
        if row.payload.get("message", {}).get("type") == "place.ended"
    ]


def test_a_second_device_ends_the_first(cast):
    meeting, issued = cast.meeting()
    first = admitted(cast, meeting, issued)
    second, _ = second_device(issued)
    first.refresh_from_db()
    assert (first.state, second.state) == (SeatState.ENDED, SeatState.CURRENT)
    assert (first.generation, second.generation) == (1, 2)
    place = Participation.objects.get(pk=second.participation_id)
    assert (place.state, place.generation) == (PlaceState.ADMITTED, 2), "let in once is let in"
    assert goodbyes()


def test_a_pending_second_device_ends_nothing(cast):
    meeting, issued = cast.meeting()
    first = admitted(cast, meeting, issued)
    redeemed(issued)
    first.refresh_from_db()
    assert first.state == SeatState.CURRENT
    assert enter.join_ticket(acting_through(first), first)


def test_the_old_device_gets_no_ticket_any_more(cast):
    meeting, issued = cast.meeting()
    first = admitted(cast, meeting, issued)
    second_device(issued)
    first.refresh_from_db()
    actor = acting_through(first)
    assert not actor.assurance.verified_by
    with refused(Verb.ROOM_JOIN, "taken_over"):
        enter.join_ticket(actor, first)
    with refused(Verb.ROOM_WAIT, "taken_over"):
        enter.wait_ticket(actor, first)


def test_the_old_devices_ticket_is_refused(cast):
    meeting, issued = cast.meeting()
    taken = redeemed(issued)
    seat = verify.verify_code(acting_through(taken.seat), taken.seat.pk, code_for(taken.seat))
    ticket = enter.wait_ticket(acting_through(seat), seat)
    second_device(issued)
    with refused(Verb.ROOM_WAIT, "taken_over"):
        hello.identify(wire.Hello(version=1, ticket=ticket), cookies(meeting.pk, taken.seat_secret))


def test_a_ticket_of_an_older_generation_is_refused_after_return(cast):
    """The first device took the place back: its ticket from before is still dead."""
    meeting, issued = cast.meeting()
    taken = redeemed(issued)
    seat = verify.verify_code(acting_through(taken.seat), taken.seat.pk, code_for(taken.seat))
    old = enter.wait_ticket(acting_through(seat), seat)
    second_device(issued)
    seat.refresh_from_db()
    seat = verify.verify_code(acting_through(seat), seat.pk, code_for(seat))
    assert (seat.state, seat.generation) == (SeatState.CURRENT, 3)
    with refused(Verb.ROOM_WAIT, "taken_over"):
        hello.identify(wire.Hello(version=1, ticket=old), cookies(meeting.pk, taken.seat_secret))


def test_a_host_takes_their_own_seat_back_from_another_device(cast):
    meeting, _ = cast.meeting()
    first, _ = host_seated(cast, meeting)
    second, _ = host_seated(cast, meeting)
    first.refresh_from_db()
    assert (first.state, second.state) == (SeatState.ENDED, SeatState.CURRENT)
    assert first.participation_id == second.participation_id
    assert second.generation == 2
    with refused(Verb.ROOM_JOIN, "taken_over"):
        enter.join_ticket(cast.acting(cast.clinician), first)


@pytest.mark.parametrize(
    ("who", "mfa", "reason"),
    [
        ("colleague", True, "not_permitted"),
        ("officer", True, "not_permitted"),
        ("coordinator", True, "not_permitted"),
        ("stranger", True, "not_found"),
        ("clinician", False, "second_factor_required"),
    ],
)
def test_only_a_host_sits_down_as_host(cast, who, mfa, reason):
    meeting, _ = cast.meeting()
    actor = cast.acting(getattr(cast, who), mfa=mfa)
    with refused(Verb.HOST_SIT, reason):
        enter.take_host_seat(actor, meeting.pk, minting.seat_secret().text)
    assert not Participation.objects.filter(role="host").exists()


def test_a_guest_who_holds_a_seat_does_not_sit_down_as_host(cast):
    meeting, issued = cast.meeting()
    actor = acting_through(verified(issued))
    with refused(Verb.HOST_SIT, "not_permitted"):
        enter.take_host_seat(actor, meeting.pk, minting.seat_secret().text)


def test_a_hosts_seat_stands_by_the_second_factor_of_its_sign_in(cast):
    meeting, _ = cast.meeting()
    seat, _ = host_seated(cast, meeting)
    actor = seats.occupant_of(seat)
    assert actor.assurance.mfa
    assert actor.assurance.verified_by == ("sign-in",)
    assert not actor.roles, "a seat carries no office"


def test_a_disabled_persons_seat_is_worth_nothing(cast):
    meeting, _ = cast.meeting()
    seat, _ = host_seated(cast, meeting)
    Person.objects.filter(pk=cast.clinician.pk).update(is_active=False)
    seat = Seat.objects.get(pk=seat.pk)
    assert seats.occupant_of(seat) == anonymous()
    with refused(Verb.ROOM_JOIN, "not_found"):
        enter.join_ticket(seats.occupant_of(seat), seat)
