"""Opening a socket: the ticket is spent, the seat's cookie compared, the place connected."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from access.verbs import Verb
from accounts.models import Person
from audit.models import TrailRow
from foundation.errors import ConsiliumError
from foundation.wire import browser as wire
from foundation.wire.browser import Mode, Purpose
from media.models import Path
from meetings import queries, seats, tickets
from meetings.actions import enter, host, verify
from meetings.models import Meeting, Participation, Seat, SpentTicket
from outbox.models import OutboxRow
from signaling import hello
from signaling.farewell import farewell
from tests.audit.reading import refused
from tests.meetings.visit import acting_through, code_for, cookies, host_seated, redeemed


@pytest.fixture
def guest(cast):
    """A verified guest on a browser with its cookies."""
    cast.planned, cast.issued = cast.meeting(Mode.PRIVATE)
    taken = redeemed(cast.issued)
    seat = verify.verify_code(acting_through(taken.seat), taken.seat.pk, code_for(taken.seat))
    return seat, cookies(cast.planned.pk, taken.seat_secret)


def hello_with(ticket: str, version: int = 1) -> wire.Hello:
    return wire.Hello(version=version, ticket=ticket)


def ticket_of(seat: Seat, purpose: str = "wait") -> str:
    seat.refresh_from_db()
    issue = enter.wait_ticket if purpose == "wait" else enter.join_ticket
    return issue(acting_through(seat), seat)


def test_a_good_ticket_and_its_cookie_say_whom_the_socket_speaks_for(cast, guest):
    seat, jar = guest
    connection = hello.identify(hello_with(ticket_of(seat)), jar)
    assert connection.participation_id == seat.participation_id
    assert connection.meeting_id == cast.planned.pk
    assert connection.organisation_id == cast.hospital.pk
    assert connection.purpose is Purpose.WAIT
    assert not connection.host
    assert connection.actor == seats.occupant_of(Seat.objects.get(pk=seat.pk))


def test_identifying_connects_nothing_yet(guest):
    seat, jar = guest
    hello.identify(hello_with(ticket_of(seat)), jar)
    assert Participation.objects.get(pk=seat.participation_id).socket is None


@pytest.mark.parametrize("version", [0, 3, -1, 10**9])
def test_a_version_that_nobody_speaks_is_refused_and_the_ticket_kept(guest, version):
    seat, jar = guest
    ticket = ticket_of(seat)
    with refused(Verb.ROOM_JOIN, "version_unknown"):
        hello.identify(hello_with(ticket, version), jar)
    assert not SpentTicket.objects.exists()
    assert hello.identify(hello_with(ticket), jar)


def test_a_ticket_without_its_browser_opens_nothing(cast, guest):
    seat, jar = guest
    name = seats.cookie_name(cast.planned.pk)
    _, other_jar = host_seated(cast, cast.planned)
    for wrong in (
        {},
        {name: ""},
        {name: "x" * 43},
        {name: seat.secret_hash},
        {name: jar[name][:-1]},
        {seats.cookie_name(uuid4()): jar[name]},
        other_jar,
    ):
        ticket = ticket_of(seat)
        with refused(Verb.ROOM_WAIT, "seat_unknown"):
            hello.identify(hello_with(ticket), wrong)
        with refused(Verb.ROOM_JOIN, "ticket_spent"):  # a stolen ticket is burnt by the try
            hello.identify(hello_with(ticket), jar)


def test_a_ticket_serves_one_socket(guest):
    seat, jar = guest
    ticket = ticket_of(seat)
    hello.identify(hello_with(ticket), jar)
    with refused(Verb.ROOM_JOIN, "ticket_spent"):
        hello.identify(hello_with(ticket), jar)


@pytest.mark.usefixtures("cast")
def test_what_is_no_ticket_is_refused_for_nobody_in_particular():
    with refused(Verb.ROOM_JOIN, "ticket_invalid"):
        hello.identify(hello_with("x" * 40), {})
    assert TrailRow.objects.latest("id").actor == "anonymous:-"


def test_who_was_admitted_after_the_ticket_was_made_may_use_it(cast, guest):
    seat, jar = guest
    ticket = ticket_of(seat)
    host.admit_guest(cast.acting(cast.clinician), cast.planned.pk, seat.participation_id)
    assert hello.identify(hello_with(ticket), jar).purpose is Purpose.WAIT


@pytest.mark.parametrize(
    ("deed", "reason"),
    [("remove_participant", "removed"), ("end_meeting", "meeting_closed")],
)
def test_who_was_put_out_after_the_ticket_was_made_may_not(cast, guest, deed, reason):
    seat, jar = guest
    clinician = cast.acting(cast.clinician)
    ticket_of(seat)
    host.admit_guest(clinician, cast.planned.pk, seat.participation_id)
    ticket = ticket_of(seat, "join")
    arguments = [cast.planned.pk, seat.participation_id][: 2 if "remove" in deed else 1]
    getattr(host, deed)(clinician, *arguments)
    with refused(Verb.ROOM_JOIN, reason):
        hello.identify(hello_with(ticket), jar)


def test_a_join_ticket_is_worth_nothing_before_admission(cast, guest):
    """Even one that was signed by mistake: the gate is asked again at hello."""
    seat, jar = guest
    forged = tickets.issue(seat, Purpose.JOIN)
    with refused(Verb.ROOM_JOIN, "not_admitted"):
        hello.identify(hello_with(forged), jar)


def test_taking_the_connection_makes_this_socket_the_places(guest):
    seat, jar = guest
    connection = hello.identify(hello_with(ticket_of(seat)), jar)
    hello.open_connection(connection, keep_media=False)
    place = Participation.objects.get(pk=seat.participation_id)
    assert (place.socket, place.socket_purpose) == (connection.socket, "wait")
    assert not Path.objects.exists(), "who waits has no media path"


def test_joining_opens_a_media_path(cast, guest):
    seat, jar = guest
    ticket_of(seat)
    host.admit_guest(cast.acting(cast.clinician), cast.planned.pk, seat.participation_id)
    connection = hello.identify(hello_with(ticket_of(seat, "join")), jar)
    hello.open_connection(connection, keep_media=False)
    assert Path.objects.get(participation_id=seat.participation_id).epoch == 1


def test_a_socket_of_a_seat_that_was_taken_over_meanwhile_is_refused(cast, guest):
    seat, jar = guest
    connection = hello.identify(hello_with(ticket_of(seat)), jar)
    second = redeemed(cast.issued).seat
    verify.verify_code(acting_through(second), second.pk, code_for(second))
    with pytest.raises(ConsiliumError, match="taken_over"):
        hello.open_connection(connection, keep_media=False)
    with pytest.raises(ConsiliumError, match="taken_over"):
        hello.ticket_to_join(connection)
    assert Participation.objects.get(pk=seat.participation_id).socket is None


def test_who_was_let_in_while_waiting_is_handed_a_ticket_to_join(cast, guest):
    seat, jar = guest
    waiting = hello.identify(hello_with(ticket_of(seat)), jar)
    with refused(Verb.ROOM_JOIN, "not_admitted"):
        hello.ticket_to_join(waiting)
    host.admit_guest(cast.acting(cast.clinician), cast.planned.pk, seat.participation_id)
    joined = hello.identify(hello_with(hello.ticket_to_join(waiting)), jar)
    assert joined.purpose is Purpose.JOIN
    assert joined.participation_id == waiting.participation_id


def test_a_socket_that_closes_takes_only_itself_away(guest):
    seat, jar = guest
    first = hello.identify(hello_with(ticket_of(seat)), jar)
    hello.open_connection(first, keep_media=False)
    second = hello.identify(hello_with(ticket_of(seat)), jar)
    hello.open_connection(second, keep_media=False)
    hello.drop_connection(first)
    place = Participation.objects.get(pk=seat.participation_id)
    assert place.socket == second.socket
    hello.drop_connection(second)
    place.refresh_from_db()
    assert place.socket is None
    assert place.state == "waiting", "the place stays for its holder to return"


def test_the_host_is_a_host_on_the_socket_too(cast, guest):
    seat, jar = host_seated(cast, cast.planned)
    connection = hello.identify(hello_with(ticket_of(seat, "join")), jar)
    assert connection.host
    assert connection.actor.assurance.mfa
    assert OutboxRow.objects.exists()
    assert Meeting.objects.get(pk=cast.planned.pk).state == "open"


# ------------------------------------------------------------ why a socket's time is over


def test_a_page_learns_from_the_room_itself_that_its_time_is_over(cast, guest):
    """A hint may be lost; the next reading says the same."""
    seat, jar = guest
    connection = hello.identify(hello_with(ticket_of(seat)), jar)
    hello.open_connection(connection, keep_media=False)

    def why(of=connection) -> str | None:
        goodbye = farewell(queries.room(of.meeting_id, of.participation_id), of)
        return goodbye.reason if goodbye else None

    place = Participation.objects.filter(pk=seat.participation_id)
    assert why() is None
    assert why(replace(connection, socket=uuid4())) == "taken_over"
    assert why(replace(connection, generation=2)) == "taken_over"
    place.update(socket=None)
    assert why() is None, "a place without a socket belongs to nobody else"
    for state, reason in [("removed", "removed"), ("declined", "declined"), ("admitted", None)]:
        place.update(state=state)
        assert why() == reason
    Meeting.objects.update(state="over")
    assert why() == "ended"


def test_a_disabled_hosts_page_is_sent_away(cast, guest):
    seat, jar = host_seated(cast, cast.planned)
    connection = hello.identify(hello_with(ticket_of(seat, "join")), jar)
    hello.open_connection(connection, keep_media=False)

    def goodbye() -> wire.Goodbye | None:
        room = queries.room(connection.meeting_id, connection.participation_id)
        return farewell(room, connection)

    assert goodbye() is None
    Person.objects.filter(pk=cast.clinician.pk).update(is_active=False)
    assert goodbye() == wire.Goodbye(reason="removed", may_return=False)


# ------------------------------------------------------------ whom the trail names


def last_refusal() -> TrailRow:
    return TrailRow.objects.filter(outcome="refused").latest("id")


@pytest.mark.parametrize("reason", ["ticket_spent", "ticket_expired"])
def test_a_replayed_ticket_names_its_seat_and_whoever_holds_the_cookie(
    cast, guest, reason, monkeypatch
):
    seat, jar = guest
    ticket = ticket_of(seat)
    if reason == "ticket_spent":
        hello.identify(hello_with(ticket), jar)
    else:
        late = tickets.database_now() + timedelta(seconds=tickets.TICKET_SECONDS)
        monkeypatch.setattr(tickets, "database_now", lambda: late)
    with refused(Verb.ROOM_JOIN, reason):
        hello.identify(hello_with(ticket), jar)
    row = last_refusal()
    assert row.actor == f"guest:{seat.participation.guest_id}"
    assert (row.subject, row.organisation_id) == (f"seat:{seat.pk}", cast.hospital.pk)
    with refused(Verb.ROOM_JOIN, reason):
        hello.identify(hello_with(ticket), {}, "198.51.100.7")
    row = last_refusal()
    assert row.actor == "anonymous:-", "who only has the ticket is nobody"
    assert (row.subject, row.organisation_id) == (f"seat:{seat.pk}", cast.hospital.pk)


def test_a_stolen_ticket_is_told_of_the_seat_and_not_as_the_guests_deed(cast, guest):
    seat, _ = guest
    ticket = ticket_of(seat)
    with refused(Verb.ROOM_WAIT, "seat_unknown"):
        hello.identify(hello_with(ticket), {}, "198.51.100.7")
    row = last_refusal()
    assert (row.actor, row.subject) == ("anonymous:-", f"seat:{seat.pk}")
    assert row.organisation_id == cast.hospital.pk
