"""A host lets in, turns away, removes and ends; nobody else does."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from access import grants
from access.verbs import Verb
from foundation.actor import anonymous
from foundation.wire.browser import Mode
from meetings.actions import enter, host, plan
from meetings.lifecycle import MeetingState, PlaceState, SeatState
from meetings.models import Meeting, Participation, Seat
from outbox.models import OutboxRow
from tests.audit.reading import deeds, refused
from tests.cast import INTERPRETER_EMAIL, INTERPRETER_NAME
from tests.meetings.visit import (
    acting_through,
    admitted,
    host_seated,
    redeemed,
    verified,
    waiting,
)

ON_ONE = {
    "admit_guest": Verb.GUEST_ADMIT,
    "decline_guest": Verb.GUEST_DECLINE,
    "remove_participant": Verb.PARTICIPANT_REMOVE,
}


@pytest.fixture
def visit(cast):
    cast.planned, cast.issued = cast.meeting(Mode.GOVERNED)
    return cast.planned


def place_of(seat: Seat) -> Participation:
    return Participation.objects.get(pk=seat.participation_id)


def hints(kind: str) -> list[dict]:
    messages = [row.payload.get("message", {}) for row in OutboxRow.objects.order_by("id")]
    return [message for message in messages if message.get("type") == kind]


def test_a_waiting_guest_is_let_in(cast, visit):
    seat = waiting(cast.issued)
    host.admit_guest(cast.acting(cast.clinician), visit.pk, seat.participation_id)
    place = place_of(seat)
    assert place.state == PlaceState.ADMITTED
    assert place.admitted_at is not None
    assert hints("room.changed")
    (row,) = deeds(Verb.GUEST_ADMIT)
    assert '"verified_by":["mailbox"]' in row.body


def test_a_waiting_guest_is_turned_away(cast, visit):
    seat = waiting(cast.issued)
    host.decline_guest(cast.acting(cast.clinician), visit.pk, seat.participation_id)
    assert place_of(seat).state == PlaceState.DECLINED
    assert hints("place.ended")
    with refused(Verb.ROOM_WAIT, "not_admitted"):
        enter.wait_ticket(acting_through(seat), seat)


def test_somebody_in_the_call_is_removed(cast, visit):
    seat = admitted(cast, visit, cast.issued)
    Participation.objects.filter(pk=seat.participation_id).update(socket=uuid4())
    host.remove_participant(cast.acting(cast.clinician), visit.pk, seat.participation_id)
    place = place_of(seat)
    assert (place.state, place.socket) == (PlaceState.REMOVED, None)
    assert Seat.objects.get(pk=seat.pk).state == SeatState.ENDED
    assert hints("place.ended")


def test_one_may_leave_and_the_place_stays(cast, visit):
    seat = admitted(cast, visit, cast.issued)
    host.leave(acting_through(seat), seat.participation_id)
    assert place_of(seat).state == PlaceState.LEFT
    assert hints("place.ended")
    assert Seat.objects.get(pk=seat.pk).state == SeatState.CURRENT


@pytest.mark.parametrize("deed", ON_ONE)
@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("colleague", "not_permitted"),
        ("coordinator", "not_permitted"),
        ("officer", "not_permitted"),
        ("administrator", "not_permitted"),
        ("stranger", "not_found"),
        ("foreign_officer", "not_found"),
    ],
)
def test_nobody_but_a_host_decides_who_is_in(cast, visit, deed, who, reason):
    seat = (
        admitted(cast, visit, cast.issued) if deed == "remove_participant" else waiting(cast.issued)
    )
    before = place_of(seat).state
    with refused(ON_ONE[deed], reason):
        getattr(host, deed)(cast.acting(getattr(cast, who)), visit.pk, seat.participation_id)
    assert place_of(seat).state == before


@pytest.mark.parametrize("deed", ON_ONE)
def test_a_guest_decides_about_nobody_not_even_themselves(cast, visit, deed):
    seat = (
        admitted(cast, visit, cast.issued) if deed == "remove_participant" else waiting(cast.issued)
    )
    with refused(ON_ONE[deed], "not_permitted"):
        getattr(host, deed)(acting_through(seat), visit.pk, seat.participation_id)
    with refused(ON_ONE[deed], "not_found"):
        getattr(host, deed)(anonymous(), visit.pk, seat.participation_id)


@pytest.mark.parametrize("deed", ON_ONE)
def test_a_host_without_the_second_factor_decides_nothing(cast, visit, deed):
    seat = waiting(cast.issued)
    with refused(ON_ONE[deed], "second_factor_required"):
        getattr(host, deed)(cast.acting(cast.clinician, mfa=False), visit.pk, seat.participation_id)


@pytest.mark.parametrize("deed", ON_ONE)
def test_a_place_of_another_meeting_is_not_found(cast, visit, deed):
    other, issued = cast.meeting(host=cast.colleague)
    foreign = waiting(issued)
    clinician = cast.acting(cast.clinician)
    with refused(ON_ONE[deed], "not_found"):
        getattr(host, deed)(clinician, visit.pk, foreign.participation_id)
    with refused(ON_ONE[deed], "not_permitted"):
        getattr(host, deed)(clinician, other.pk, foreign.participation_id)
    with refused(ON_ONE[deed], "not_found"):
        getattr(host, deed)(clinician, visit.pk, uuid4())


@pytest.mark.parametrize("deed", ["admit_guest", "decline_guest"])
def test_only_who_waits_is_let_in_or_turned_away(cast, visit, deed):
    clinician = cast.acting(cast.clinician)
    invited = cast.issued.invitation.participation_id
    with refused(ON_ONE[deed], "wrong_state"):
        getattr(host, deed)(clinician, visit.pk, invited)
    seat = verified(cast.issued)
    with refused(ON_ONE[deed], "wrong_state"):
        getattr(host, deed)(clinician, visit.pk, seat.participation_id)
    enter.wait_ticket(acting_through(seat), seat)
    getattr(host, deed)(clinician, visit.pk, seat.participation_id)
    with refused(ON_ONE[deed], "wrong_state" if deed == "admit_guest" else "not_admitted"):
        getattr(host, deed)(clinician, visit.pk, seat.participation_id)


def test_only_who_is_in_the_call_is_removed(cast, visit):
    clinician, seat = cast.acting(cast.clinician), waiting(cast.issued)
    with refused(Verb.PARTICIPANT_REMOVE, "wrong_state"):
        host.remove_participant(clinician, visit.pk, seat.participation_id)


def test_hosts_leave_and_do_not_remove_themselves(cast, visit):
    seat, _ = host_seated(cast, visit)
    with refused(Verb.PARTICIPANT_REMOVE, "not_permitted"):
        host.remove_participant(cast.acting(cast.clinician), visit.pk, seat.participation_id)


def test_nobody_leaves_for_somebody_else(cast, visit):
    seat = admitted(cast, visit, cast.issued)
    for person, reason in [(cast.clinician, "not_permitted"), (cast.stranger, "not_found")]:
        with refused(Verb.ROOM_LEAVE, reason):
            host.leave(cast.acting(person), seat.participation_id)


def test_who_leaves_the_waiting_room_is_out_of_the_queue(cast, visit):
    seat = waiting(cast.issued)
    for _ in range(2):  # a message may come twice
        host.leave(acting_through(seat), seat.participation_id)
    place = place_of(seat)
    assert (place.state, place.waiting_since, place.socket) == (PlaceState.VERIFIED, None, None)
    assert hints("place.ended")
    with refused(Verb.GUEST_ADMIT, "wrong_state"):
        host.admit_guest(cast.acting(cast.clinician), visit.pk, seat.participation_id)


def test_who_has_not_proven_who_they_are_has_nothing_to_leave(cast, visit):
    seat = redeemed(cast.issued).seat
    with refused(Verb.ROOM_LEAVE, "not_verified"):
        host.leave(acting_through(seat), seat.participation_id)


def test_a_private_call_is_full_with_two(cast):
    meeting, issued = cast.meeting()
    seat = waiting(issued)
    host_seated(cast, meeting)
    Participation.objects.create(
        organisation=cast.hospital,
        meeting=meeting,
        person=cast.colleague,
        role="host",
        state=PlaceState.ADMITTED,
    )
    with refused(Verb.GUEST_ADMIT, "meeting_full"):
        host.admit_guest(cast.acting(cast.clinician), meeting.pk, seat.participation_id)
    assert place_of(seat).state == PlaceState.WAITING


def test_a_colleague_with_a_grant_hosts_until_it_ends(cast, visit):
    seat = waiting(cast.issued)
    actor = cast.acting(cast.colleague)

    def give(hours: int) -> None:
        grants.give(
            cast.colleague,
            "host_meeting",
            visit,
            expires_at=timezone.now() + timedelta(hours=hours),
            granted_by=cast.clinician.pk,
            reason="covers",
        )

    give(-1)
    with refused(Verb.GUEST_ADMIT, "not_permitted"):
        host.admit_guest(actor, visit.pk, seat.participation_id)
    give(1)
    host.admit_guest(actor, visit.pk, seat.participation_id)
    assert place_of(seat).state == PlaceState.ADMITTED


# ------------------------------------------------------------ ending


def test_the_end_is_told_to_everybody(cast, visit):
    seat = admitted(cast, visit, cast.issued)
    Participation.objects.filter(pk=seat.participation_id).update(socket=uuid4())
    host.end_meeting(cast.acting(cast.clinician), visit.pk)
    meeting = Meeting.objects.get(pk=visit.pk)
    assert meeting.state == MeetingState.OVER
    assert meeting.ended_at is not None
    assert place_of(seat).socket is None
    assert hints("room.changed")
    (row,) = deeds(Verb.MEETING_END)
    assert '"to":"over"' in row.body


@pytest.mark.parametrize(
    ("who", "reason"),
    [("colleague", "not_permitted"), ("officer", "not_permitted"), ("stranger", "not_found")],
)
def test_nobody_but_a_host_ends_a_meeting(cast, visit, who, reason):
    with refused(Verb.MEETING_END, reason):
        host.end_meeting(cast.acting(getattr(cast, who)), visit.pk)
    assert Meeting.objects.get(pk=visit.pk).state == MeetingState.PLANNED


def test_a_guest_does_not_end_a_meeting(cast, visit):
    seat = admitted(cast, visit, cast.issued)
    actor = acting_through(seat)
    with refused(Verb.MEETING_END, "not_permitted"):
        host.end_meeting(actor, visit.pk)


def test_a_meeting_ends_once(cast, visit):
    clinician = cast.acting(cast.clinician)
    host.end_meeting(clinician, visit.pk)
    with refused(Verb.MEETING_END, "meeting_closed"):
        host.end_meeting(clinician, visit.pk)


def test_after_the_end_nothing_opens_any_more(cast, visit):
    clinician = cast.acting(cast.clinician)
    inside = admitted(cast, visit, cast.issued)
    guest = plan.NewGuest(INTERPRETER_NAME, INTERPRETER_EMAIL)
    outside = plan.invite_guest(clinician, visit.pk, guest)
    knocking = waiting(outside)
    host.end_meeting(clinician, visit.pk)
    with refused(Verb.INVITATION_REDEEM, "meeting_closed"):
        redeemed(outside)
    for seat, verb, ticket in [
        (inside, Verb.ROOM_JOIN, enter.join_ticket),
        (inside, Verb.ROOM_WAIT, enter.wait_ticket),
        (knocking, Verb.ROOM_WAIT, enter.wait_ticket),
    ]:
        seat.refresh_from_db()
        with refused(verb, "meeting_closed"):
            ticket(acting_through(seat), seat)
    with refused(Verb.GUEST_ADMIT, "meeting_closed"):
        host.admit_guest(clinician, visit.pk, knocking.participation_id)
    with refused(Verb.PARTICIPANT_REMOVE, "meeting_closed"):
        host.remove_participant(clinician, visit.pk, inside.participation_id)
    with refused(Verb.HOST_SIT, "meeting_closed"):
        enter.take_host_seat(clinician, visit.pk, "x" * 43)
    with refused(Verb.ROOM_LEAVE, "meeting_closed"):
        host.leave(acting_through(inside), inside.participation_id)
