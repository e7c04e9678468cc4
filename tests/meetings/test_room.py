"""What a page is told of its room: no more than it may see, and in order."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone

from access.verbs import Verb
from foundation.wire.browser import Mode, Purpose
from meetings import queries
from meetings.actions import enter, host, plan
from meetings.models import Meeting, Participation
from outbox.models import OutboxRow
from tests.audit.reading import refused
from tests.cast import INTERPRETER_EMAIL, INTERPRETER_NAME, PATIENT_NAME
from tests.meetings.visit import acting_through, admitted, host_seated, verified, waiting


@pytest.fixture
def visit(cast) -> Meeting:
    cast.planned, cast.issued = cast.meeting(Mode.GOVERNED)
    return cast.planned


def room(visit: Meeting) -> queries.Room:
    """The room, read for whoever has a place in it."""
    return queries.room(visit.pk, Participation.objects.filter(meeting=visit).first().pk)


def seq(meeting: Meeting) -> int:
    return Meeting.objects.get(pk=meeting.pk).seq


def interpreter(cast, visit):
    guest = plan.NewGuest(INTERPRETER_NAME, INTERPRETER_EMAIL)
    return waiting(plan.invite_guest(cast.acting(cast.clinician), visit.pk, guest))


def test_who_waits_is_told_to_hosts_only(cast, visit):
    admitted(cast, visit, cast.issued)
    seat = interpreter(cast, visit)
    now = room(visit)
    for_host = queries.state_message(now, for_host=True)
    for_guest = queries.state_message(now, for_host=False)
    (waiter,) = for_host.waiting
    assert (waiter.id, waiter.name) == (seat.participation_id, INTERPRETER_NAME)
    assert waiter.verified_by == ["mailbox"]
    assert for_guest.waiting == []
    assert INTERPRETER_NAME not in for_guest.model_dump_json()
    assert [person.name for person in for_guest.people] == [PATIENT_NAME]


def test_who_only_proved_their_mailbox_is_shown_to_nobody(cast, visit):
    verified(cast.issued)
    shown = queries.state_message(room(visit), for_host=True)
    assert (shown.people, shown.waiting) == ([], [])


def test_the_waiting_room_tells_no_names(cast, visit):
    first, second = waiting(cast.issued), interpreter(cast, visit)
    now = room(visit)
    for place, seat in enumerate((first, second), start=1):
        lobby = queries.lobby_message(now, seat.participation_id)
        assert (lobby.place, lobby.waiting, lobby.host_here) == (place, 2, False)
        assert set(lobby.model_dump()) == {"type", "place", "waiting", "host_here", "question"}
    assert queries.lobby_message(now, uuid4()).place == 0


def test_who_leaves_the_queue_lines_up_anew(cast, visit):
    first, second = waiting(cast.issued), interpreter(cast, visit)
    host.leave(acting_through(first), first.participation_id)
    now = room(visit)
    assert [place.pk for place in now.waiting] == [second.participation_id]
    assert now.place_in_queue(second.participation_id) == 1
    enter.wait_ticket(acting_through(first), first)
    now = room(visit)
    assert now.place_in_queue(first.participation_id) == 2, "nobody overtakes who stayed"


def test_a_host_is_here_while_their_page_pings(cast, visit):
    seat, _ = host_seated(cast, visit)
    place = Participation.objects.filter(pk=seat.participation_id)
    assert not room(visit).host_is_here()
    place.update(socket=uuid4(), seen_at=timezone.now())
    assert room(visit).host_is_here()
    place.update(seen_at=timezone.now() - queries.SEEN_LASTS - timedelta(seconds=1))
    assert not room(visit).host_is_here()


def test_the_number_rises_with_every_change(cast, visit):
    numbers = [seq(visit)]

    def rose() -> None:
        numbers.append(seq(visit))
        assert numbers[-1] > numbers[-2], numbers

    clinician = cast.acting(cast.clinician)
    seat = verified(cast.issued)
    rose()
    enter.wait_ticket(acting_through(seat), seat)
    rose()
    host.admit_guest(clinician, visit.pk, seat.participation_id)
    rose()
    socket = uuid4()
    seat.refresh_from_db()
    enter.connect(seat, Purpose.JOIN, socket)
    rose()
    actor = acting_through(seat)
    enter.show_sources(actor, seat.participation_id, microphone=True, camera=True, screen=False)
    rose()
    assert enter.disconnect(seat.participation_id, socket)
    rose()
    host.leave(actor, seat.participation_id)
    rose()
    host.end_meeting(clinician, visit.pk)
    rose()
    hints = OutboxRow.objects.filter(payload__message__type="room.changed").count()
    assert hints == len(numbers) - 1, "each change is hinted at once"


def test_a_hint_carries_no_state(cast, visit):
    admitted(cast, visit, cast.issued)
    for row in OutboxRow.objects.filter(topic="group"):
        assert set(row.payload) == {"group", "message"}
        assert set(row.payload["message"]) <= {"type", "reason", "may_return", "keep_socket"}


def test_a_new_socket_ends_the_old_one_of_its_place(cast, visit):
    seat = admitted(cast, visit, cast.issued)
    first, second = uuid4(), uuid4()
    enter.connect(seat, Purpose.JOIN, first)
    enter.connect(seat, Purpose.JOIN, second)
    assert OutboxRow.objects.filter(payload__message__type="place.ended").exists()
    assert not enter.disconnect(seat.participation_id, first), "the old one speaks for nobody"
    place = Participation.objects.get(pk=seat.participation_id)
    assert place.socket == second
    enter.seen({first})
    assert Participation.objects.get(pk=place.pk).seen_at == place.seen_at


def test_sources_are_shown_by_who_is_in_the_call_only(cast, visit):
    seat = waiting(cast.issued)
    shown = {"microphone": True, "camera": True, "screen": True}
    with refused(Verb.MEDIA_PUBLISH, "not_admitted"):
        enter.show_sources(acting_through(seat), seat.participation_id, **shown)
    host.admit_guest(cast.acting(cast.clinician), visit.pk, seat.participation_id)
    for person, reason in [(cast.clinician, "not_permitted"), (cast.stranger, "not_found")]:
        with refused(Verb.MEDIA_PUBLISH, reason):
            enter.show_sources(cast.acting(person), seat.participation_id, **shown)
    enter.show_sources(acting_through(seat), seat.participation_id, **shown)
    (person,) = queries.state_message(room(visit), for_host=False).people
    assert (person.microphone, person.camera, person.screen) == (True, True, True)


def test_a_page_that_waits_is_not_shown_as_in_the_call(cast, visit):
    seat = admitted(cast, visit, cast.issued)
    enter.connect(seat, Purpose.WAIT, uuid4())
    (person,) = queries.state_message(room(visit), for_host=False).people
    assert not person.connected
    enter.connect(seat, Purpose.JOIN, uuid4())
    (person,) = queries.state_message(room(visit), for_host=False).people
    assert person.connected
    assert not person.camera, "a new page sends nothing until it says so"


def test_a_room_is_read_for_a_place_in_it_only(cast, visit):
    _, issued = cast.meeting()
    foreign = issued.invitation.participation_id
    for meeting_id, place_id in [(uuid4(), foreign), (visit.pk, foreign), (visit.pk, uuid4())]:
        with pytest.raises(ObjectDoesNotExist):
            queries.room(meeting_id, place_id)
