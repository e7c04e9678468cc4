"""What a page says once its socket is open: checked here, handed on, and refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from access.verbs import Verb
from accounts.models import Person
from audit.models import TrailRow
from foundation.errors import ConsiliumError
from foundation.wire import browser as wire
from foundation.wire.browser import Link, Mode
from media.actions import paths, workers
from media.models import MediaWorker, Path
from meetings import tickets
from meetings.actions import host
from meetings.models import Meeting, Participation, Seat
from meetings.rooms import place_group
from outbox.models import OutboxRow
from signaling import hello
from signaling.handlers import HANDLERS
from signaling.handlers.media import MAX_TRICKLED
from signaling.hello import Connection
from signaling.outgoing import NOTHING
from tests.audit.reading import refused
from tests.foundation.sdp.writing import HOST as HOST_CANDIDATE
from tests.foundation.sdp.writing import RELAYED, answer, offer
from tests.meetings.visit import acting_through, admitted, host_seated

pytestmark = pytest.mark.filterwarnings("ignore")


def handle(connection: Connection, message: wire.ClientMessage):
    return HANDLERS[type(message)].handler(connection, message)


def joined(seat: Seat) -> Connection:
    """A socket in the call, without its handshake."""
    seat.refresh_from_db()
    place = Participation.objects.select_related("meeting").get(pk=seat.participation_id)
    connection = Connection(
        socket=uuid4(),
        actor=acting_through(seat),
        seat_id=seat.pk,
        generation=seat.generation,
        organisation_id=seat.organisation_id,
        meeting_id=place.meeting_id,
        participation_id=place.pk,
        purpose=wire.Purpose.JOIN,
        host=place.is_host,
        mode=Mode(place.meeting.mode),
        relay_only=place.meeting.relay_only,
    )
    hello.open_connection(connection, keep_media=False)
    return connection


Call = Callable[..., tuple[Connection, Connection]]


@pytest.fixture
def call(cast) -> Call:
    """The host and the guest of one call."""

    def begin(mode: Mode, *, relay_only: bool = False) -> tuple[Connection, Connection]:
        meeting, issued = cast.meeting(mode)
        Meeting.objects.filter(pk=meeting.pk).update(relay_only=relay_only)
        if mode is Mode.GOVERNED:
            worker = MediaWorker.objects.create(name="worker-1", public_key="x" * 43)
            workers.begin_presence(worker, uuid4(), 50)
        host_seat, _ = host_seated(cast, meeting)
        cast.guest_seat = admitted(cast, meeting, issued)
        cast.planned = meeting
        return joined(host_seat), joined(cast.guest_seat)

    return begin


def epoch(connection: Connection) -> int:
    return Path.objects.get(participation_id=connection.participation_id).epoch


def describe(connection: Connection, link: Link, sdp: str, kind: str = "offer", **changed: object):
    description = wire.Description(type=kind, sdp=sdp)
    fields = {"link": link, "epoch": epoch(connection), "description": description, **changed}
    return handle(connection, wire.Describe(**fields))


def candidate(connection: Connection, link: Link, text: str, **changed: object):
    fields = {"link": link, "epoch": epoch(connection), "candidate": text, **changed}
    return handle(connection, wire.Candidate(**fields))


# ------------------------------------------------------------ private: to the other page


def test_a_description_reaches_the_other_page_and_nobody_else(call):
    first, second = call(Mode.PRIVATE)
    outgoing = describe(second, Link.PEER, offer(direction="sendrecv"))
    assert outgoing.replies == ()
    ((group, hint),) = outgoing.relays
    assert group == place_group(first.participation_id)
    assert hint["message"]["type"] == "described"
    assert hint["message"]["epoch"] == epoch(second)
    assert hint["message"]["description"]["type"] == "offer"


def test_a_candidate_reaches_the_other_page(call):
    first, second = call(Mode.PRIVATE)
    ((group, hint),) = candidate(second, Link.PEER, HOST_CANDIDATE, mid="0", line=0).relays
    assert group == place_group(first.participation_id)
    assert hint["message"]["type"] == "remote_candidate"
    assert (hint["message"]["mid"], hint["message"]["line"]) == ("0", 0)


def test_descriptions_and_candidates_are_never_stored(call):
    _, second = call(Mode.PRIVATE)
    rows = OutboxRow.objects.count(), TrailRow.objects.count()
    describe(second, Link.PEER, offer(direction="sendrecv"))
    candidate(second, Link.PEER, HOST_CANDIDATE)
    assert (OutboxRow.objects.count(), TrailRow.objects.count()) == rows


@pytest.mark.parametrize("link", [Link.PUBLISH, Link.SUBSCRIBE])
def test_a_private_call_has_no_link_to_a_worker(call, link):
    _, second = call(Mode.PRIVATE)
    with refused(Verb.MEDIA_CONNECT, "sdp_refused"):
        describe(second, link, offer())
    with refused(Verb.MEDIA_CONNECT, "sdp_refused"):
        candidate(second, link, HOST_CANDIDATE)


# ------------------------------------------------------------ governed: to the worker


def test_an_offer_reaches_the_rooms_worker(call):
    _, guest = call(Mode.GOVERNED)
    ((group, command),) = describe(guest, Link.PUBLISH, offer()).relays
    worker = MediaWorker.objects.get()
    assert group == f"worker.{worker.pk.hex}"
    assert command["type"] == "worker.describe"
    assert command["room"] == str(guest.meeting_id)
    assert command["participant"] == str(guest.participation_id)
    assert (command["link"], command["epoch"]) == ("publish", 1)


def test_an_answer_reaches_the_rooms_worker(call):
    _, guest = call(Mode.GOVERNED)
    ((_, command),) = describe(guest, Link.SUBSCRIBE, answer(), "answer").relays
    assert command["description"]["type"] == "answer"


@pytest.mark.parametrize(
    ("link", "kind", "sdp"),
    [
        (Link.PUBLISH, "answer", offer()),
        (Link.SUBSCRIBE, "offer", answer()),
        (Link.PUBLISH, "offer", "v=0"),
        (Link.PUBLISH, "offer", offer(direction="sendrecv")),
        (Link.PUBLISH, "offer", offer().replace("sha-256", "sha-1")),
        (Link.PUBLISH, "offer", offer().replace("SAVPF", "AVPF")),
        (Link.SUBSCRIBE, "answer", "x"),
        (Link.PEER, "offer", offer(direction="sendrecv")),
    ],
)
def test_a_description_of_another_shape_is_refused(call, link, kind, sdp):
    _, guest = call(Mode.GOVERNED)
    with refused(Verb.MEDIA_CONNECT, "sdp_refused"):
        describe(guest, link, sdp, kind)


def test_without_a_placement_the_page_is_told(call):
    _, guest = call(Mode.GOVERNED)
    from django.utils import timezone

    paths.Placement.objects.update(ended_at=timezone.now())
    with pytest.raises(ConsiliumError, match="no_media_worker"):
        describe(guest, Link.PUBLISH, offer())


# ------------------------------------------------------------ addresses


def test_in_a_relay_only_call_no_address_passes(call):
    _, guest = call(Mode.PRIVATE, relay_only=True)
    sdp = offer({"candidates": [HOST_CANDIDATE, RELAYED]}, direction="sendrecv")
    assert "192.168.7.9 54321 typ host" in sdp
    ((_, hint),) = describe(guest, Link.PEER, sdp).relays
    passed = hint["message"]["description"]["sdp"]
    assert "192.168.7.9" not in passed
    assert "typ host" not in passed
    assert "198.51.100.7 60000 typ relay" in passed


@pytest.mark.parametrize("mode", Mode)
def test_in_a_relay_only_call_only_relayed_candidates_pass(call, mode):
    _, guest = call(mode, relay_only=True)
    link = Link.PEER if mode is Mode.PRIVATE else Link.PUBLISH
    with refused(Verb.MEDIA_CONNECT, "candidate_refused"):
        candidate(guest, link, HOST_CANDIDATE)
    ((_, passed),) = candidate(guest, link, RELAYED).relays
    assert "192.168.7.9" not in str(passed), "nor the address behind the relay"
    assert "198.51.100.7" in str(passed)


def test_in_a_relay_only_governed_call_no_address_reaches_the_worker(call):
    _, guest = call(Mode.GOVERNED, relay_only=True)
    ((_, command),) = describe(
        guest, Link.PUBLISH, offer({"candidates": [HOST_CANDIDATE, RELAYED]})
    ).relays
    assert "typ host" not in command["description"]["sdp"]
    assert "typ relay" in command["description"]["sdp"]


@pytest.mark.parametrize("line", ["x", "candidate:", "candidate:1 1 udp x y z typ host", "a" * 500])
def test_what_is_no_candidate_is_refused(call, line):
    _, guest = call(Mode.PRIVATE)
    with refused(Verb.MEDIA_CONNECT, "candidate_refused"):
        candidate(guest, Link.PEER, line)


def test_a_flood_of_candidates_is_refused_once_and_then_dropped(call):
    first, guest = call(Mode.PRIVATE)
    for _ in range(MAX_TRICKLED):
        assert candidate(guest, Link.PEER, HOST_CANDIDATE).relays
    with refused(Verb.MEDIA_CONNECT, "candidate_refused"):
        candidate(guest, Link.PEER, HOST_CANDIDATE)
    rows = TrailRow.objects.count()
    for _ in range(20):
        assert candidate(guest, Link.PEER, HOST_CANDIDATE) == NOTHING
    assert TrailRow.objects.count() == rows
    assert candidate(first, Link.PEER, HOST_CANDIDATE).relays, "the other side's are its own"


def test_candidates_that_lead_to_no_machine_are_dropped_without_a_word(call, settings):
    """A browser may gather them without doing anything wrong, so nothing is refused."""
    _, guest = call(Mode.PRIVATE)
    rows = TrailRow.objects.count()
    for address in ("169.254.169.254", "127.0.0.1"):
        settings.ON_THIS_MACHINE_ALONE = False
        line = HOST_CANDIDATE.replace("192.168.7.9", address)
        assert candidate(guest, Link.PEER, line) == NOTHING
        sdp = offer({"candidates": [line, HOST_CANDIDATE]}, direction="sendrecv")
        ((_, hint),) = describe(guest, Link.PEER, sdp).relays
        assert hint["message"]["description"]["sdp"].count("a=candidate:") == 1
        settings.ON_THIS_MACHINE_ALONE = True
        assert (candidate(guest, Link.PEER, line) == NOTHING) is (address != "127.0.0.1")
    assert TrailRow.objects.count() == rows


def test_the_end_of_candidates_is_no_candidate(call):
    _, guest = call(Mode.PRIVATE)
    assert candidate(guest, Link.PEER, "") == NOTHING


# ------------------------------------------------------------ epochs


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("off_by", [-1, 1, 1000])
def test_what_belongs_to_another_attempt_is_dropped_without_an_answer(call, mode, off_by):
    _, guest = call(mode)
    link = Link.PEER if mode is Mode.PRIVATE else Link.PUBLISH
    other = epoch(guest) + off_by
    rows = TrailRow.objects.count()
    assert describe(guest, link, offer(), epoch=other) == NOTHING
    assert describe(guest, link, "not even a description", epoch=other) == NOTHING
    assert candidate(guest, link, HOST_CANDIDATE, epoch=other) == NOTHING
    assert TrailRow.objects.count() == rows


def test_a_path_that_is_not_ready_takes_nothing(call):
    _, guest = call(Mode.PRIVATE)
    Path.objects.update(ready=False)
    assert describe(guest, Link.PEER, offer(direction="sendrecv")) == NOTHING
    assert candidate(guest, Link.PEER, HOST_CANDIDATE) == NOTHING


def test_a_lost_path_is_opened_anew_once(call):
    first, guest = call(Mode.PRIVATE)
    lost = epoch(guest)
    assert handle(guest, wire.RestartMedia(epoch=lost)) == NOTHING
    handle(first, wire.RestartMedia(epoch=lost))
    assert epoch(guest) == epoch(first) == lost + 1


# ------------------------------------------------------------ who may


def everything_about_media(connection: Connection) -> list[wire.ClientMessage]:
    link = Link.PEER if connection.mode is Mode.PRIVATE else Link.PUBLISH
    description = wire.Description(type="offer", sdp=offer())
    return [
        wire.Describe(link=link, epoch=1, description=description),
        wire.Candidate(link=link, epoch=1, candidate=HOST_CANDIDATE),
        wire.RestartMedia(epoch=1),
    ]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("waiting", "not_admitted"),
        ("verified", "not_admitted"),
        ("left", "not_admitted"),
        ("removed", "removed"),
        ("declined", "not_admitted"),
    ],
)
def test_who_is_not_in_the_call_says_nothing_about_media(call, mode, state, reason):
    _, guest = call(mode)
    Participation.objects.filter(pk=guest.participation_id).update(state=state)
    for message in everything_about_media(guest):
        with refused(Verb.MEDIA_CONNECT, reason):
            handle(guest, message)
    with refused(Verb.MEDIA_PUBLISH, reason):
        handle(guest, wire.Sources(microphone=True, camera=True, screen=True))


def test_after_the_end_nothing_is_said_about_media(cast, call):
    _, guest = call(Mode.GOVERNED)
    host.end_meeting(cast.acting(cast.clinician), cast.planned.pk)
    for message in everything_about_media(guest):
        with refused(Verb.MEDIA_CONNECT, "meeting_closed"):
            handle(guest, message)


def test_a_socket_does_not_speak_for_another_place(call):
    first, guest = call(Mode.PRIVATE)
    impostor = replace(guest, participation_id=first.participation_id)
    for message in everything_about_media(impostor):
        with refused(Verb.MEDIA_CONNECT, "not_permitted"):
            handle(impostor, message)


@pytest.mark.parametrize(
    ("message", "verb"),
    [
        (wire.Admit, Verb.GUEST_ADMIT),
        (wire.Decline, Verb.GUEST_DECLINE),
        (wire.Remove, Verb.PARTICIPANT_REMOVE),
    ],
)
def test_a_guests_socket_decides_about_nobody(call, message, verb):
    first, guest = call(Mode.GOVERNED)
    for target in (first.participation_id, guest.participation_id):
        with refused(verb, "not_permitted"):
            handle(guest, message(participation=target))
    with refused(Verb.MEETING_END, "not_permitted"):
        handle(guest, wire.EndMeeting())


def test_a_hosts_socket_decides_in_its_own_meeting_only(cast, call):
    first, _ = call(Mode.GOVERNED)
    other, issued = cast.meeting(host=cast.colleague)
    foreign = issued.invitation.participation_id
    for message, verb in [
        (wire.Admit, Verb.GUEST_ADMIT),
        (wire.Decline, Verb.GUEST_DECLINE),
        (wire.Remove, Verb.PARTICIPANT_REMOVE),
    ]:
        with refused(verb, "not_found"):
            handle(first, message(participation=foreign))
    handle(first, wire.EndMeeting())
    assert Meeting.objects.get(pk=other.pk).state == "planned"


def test_a_disabled_hosts_open_socket_decides_nothing(cast, call):
    first, guest = call(Mode.GOVERNED)
    Person.objects.filter(pk=cast.clinician.pk).update(is_active=False)
    for message, verb in [
        (wire.Admit, Verb.GUEST_ADMIT),
        (wire.Decline, Verb.GUEST_DECLINE),
        (wire.Remove, Verb.PARTICIPANT_REMOVE),
    ]:
        with refused(verb, "not_found"):
            handle(first, message(participation=guest.participation_id))
    with refused(Verb.MEETING_END, "not_found"):
        handle(first, wire.EndMeeting())
    assert Participation.objects.get(pk=guest.participation_id).state == "admitted"


def test_a_host_removes_by_socket(call):
    first, guest = call(Mode.GOVERNED)
    handle(first, wire.Remove(participation=guest.participation_id))
    assert Participation.objects.get(pk=guest.participation_id).state == "removed"


def test_sources_are_shown_and_leaving_leaves(call):
    _, guest = call(Mode.GOVERNED)
    handle(guest, wire.Sources(microphone=True, camera=False, screen=True))
    place = Participation.objects.get(pk=guest.participation_id)
    assert (place.microphone, place.camera, place.screen) == (True, False, True)
    handle(guest, wire.Leave())
    place.refresh_from_db()
    assert place.state == "left"


def test_a_second_hello_is_a_mistake(call):
    _, guest = call(Mode.PRIVATE)
    with refused(Verb.ROOM_JOIN, "ticket_spent"):
        handle(guest, wire.Hello(version=1, ticket="t" * 16))
    assert tickets.SpentTicket.objects.count() == 0


def test_a_ping_is_answered_with_its_number(call):
    _, guest = call(Mode.PRIVATE)
    assert handle(guest, wire.Ping(n=7)).replies == (wire.Pong(n=7),)


def test_who_waits_may_say_little_and_answer_whether_they_agree():
    may_wait = {kind for kind, handled in HANDLERS.items() if wire.Purpose.WAIT in handled.purposes}
    assert may_wait == {
        wire.GiveConsent,
        wire.Hello,
        wire.Leave,
        wire.Ping,
        wire.RefuseConsent,
    }
