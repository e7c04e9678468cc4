"""Faults and abuse at the door of a meeting, by their numbers; while a call of two goes on.

What needs 10 to 30 s of waiting begins with the first test and is asked for by the last.
"""

from __future__ import annotations

import json
import ssl
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from access.verbs import Verb
from foundation.errors import PROBLEMS
from foundation.wire.browser import MAX_CANDIDATE_CHARS
from foundation.wire.sdp import MAX_CANDIDATES
from tests.faults.hostile import (
    BAD_SDP,
    MALFORMED,
    NO_CANDIDATES,
    NOWHERE_TO_SEND,
    many_candidates,
    pointing_to,
)
from tests.flows import house as houses
from tests.flows.back_room import BackRoom
from tests.flows.canaries import nothing_was_left_behind
from tests.flows.house import House, Visit
from tests.flows.http_door import Browser
from tests.flows.meanwhile import Meanwhile
from tests.flows.page_socket import Socket, dial, is_shut_out
from tests.flows.people import code_of
from tests.flows.tokens import assertion, base64url, hmac_signed, unsigned
from tests.foundation.sdp.writing import (
    HOST,
    MDNS,
    REFLEXIVE,
    RELAYED,
    offer,
)

pytestmark = pytest.mark.browser  # needs an installation

house = houses.house
the_call_goes_on = houses.the_call_goes_on

HELLO_SECONDS, SILENCE_SECONDS = 10, 15

#: A pong while somebody misbehaves. Two cores, shared with the one who misbehaves.
PONG_SECONDS = 0.5

#: After which a page takes its line for dead (``static/js/signal/socket.js``).
DEAD_SECONDS = 4.0


@dataclass
class Slow:
    """What goes on beside the other tests."""

    no_hello: Meanwhile
    silent: Meanwhile
    lost: Meanwhile


@pytest.fixture(scope="module", autouse=True)
def slow(house: House) -> Slow:
    def no_hello() -> tuple[float, list[Socket]]:
        lines = [Browser(house.installation).socket() for _ in range(50)]
        for line in lines:
            line.ends(HELLO_SECONDS + 5)
        return max(line.closed_at - line.opened_at for line in lines), lines

    def silent() -> tuple[float, int]:
        line = house.lobby.connect("wait")
        line.is_alive()
        start = time.monotonic()
        code = line.ends(SILENCE_SECONDS + 5)
        return line.closed_at - start, code

    lost = Meanwhile(lambda: lose(house.over, house, 30))
    return Slow(Meanwhile(no_hello), Meanwhile(silent), lost)


# ---------------------------------------------------------------- 20


def lose(visit: Visit, house: House, seconds: float) -> None:
    """The guest's network is away for ``seconds``; they come back with their media alive."""
    host, guest, epoch = private_call(house, visit)
    room(host, lambda people: [p["connected"] for p in people] == [True, True])
    guest.vanish()
    room(host, lambda people: sorted(p["connected"] for p in people) == [False, True])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(5, end - time.monotonic()))
        host.is_alive()
    back = visit.browser.socket()
    back.say("hello", version=1, ticket=visit.ticket("join"), keep_media=True)
    back.hears("welcome", you=visit.participation)
    room(host, lambda people: [p["connected"] for p in people] == [True, True])
    # The path that lived on is the one both still hold: nobody is told to open another.
    assert back.hears("media")["epoch"] == epoch
    host.hears_no("media", "goodbye")
    host.close()
    back.close()


@pytest.mark.parametrize("seconds", [1, 5])
def test_20_a_lost_socket_is_resumed_and_leaves_no_ghost(house: House, seconds: float):
    lose(house.abused, house, seconds)


def test_20_a_second_socket_of_one_seat_ends_the_first(house: House):
    """The first is half-open: its end was never heard of."""
    visit = house.abused
    host, first = house.sit(visit), visit.connect()
    second = visit.connect()
    assert first.hears("goodbye")["reason"] == "taken_over"
    assert first.ends() == PROBLEMS["taken_over"].close_code
    room(host, lambda people: [p["connected"] for p in people] == [True, True])
    second.is_alive()
    host.close()
    second.close()


# ---------------------------------------------------------------- 16


def test_16_what_was_committed_arrives_though_the_process_died_before_publishing(house: House):
    """The back room has no relay; it commits and is killed."""
    waiting = house.visit().redeem()
    doomed = BackRoom(house.installation)
    doomed.do(
        "from foundation.actor import Actor, ActorKind\n"
        "from meetings.actions import verify\n"
        "from meetings.models import Seat\n"
        "seat = Seat.objects.select_related('participation').get(participation_id=guest)\n"
        "actor = Actor(ActorKind.GUEST, id=seat.participation.guest_id,\n"
        "              organisation_id=seat.organisation_id)\n"
        "verify.request_code(actor, seat.pk)",
        guest=waiting.participation,
    )
    doomed.kill()
    assert code_of(house.installation, waiting.invited.email)
    waiting.prove()
    page = waiting.connect("wait")
    page.hears("lobby", host_here=False)
    house.back_room.do(
        "from accounts.actors import actor_for\n"
        "from meetings.actions import host\n"
        "from meetings.models import Meeting\n"
        "from uuid import UUID\n"
        "meeting = Meeting.objects.select_related('created_by').get(pk=meeting)\n"
        "host.admit_guest(actor_for(meeting.created_by, mfa=True), meeting.pk, UUID(guest))",
        meeting=waiting.meeting,
        guest=waiting.participation,
    )
    page.hears("admitted")
    page.close()


# ---------------------------------------------------------------- 21


def test_21_half_open_sockets_cost_the_others_nothing(house: House, slow: Slow):
    """Beside the 50 sockets without a hello there are those who never even speak TLS or HTTP."""
    installation = house.installation
    before = house.is_alive()
    open_lines: list[object] = []
    for number in range(150):
        crowd = Browser(installation)
        if number % 3 == 0:
            open_lines.append(crowd.call())
        elif number % 3 == 1:
            line = crowd.call()
            line.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
            open_lines.append(line)
        else:
            tls = crowd.tls()
            tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            open_lines.append(tls)
    pongs = []
    for _ in range(100):
        for line in open_lines[2::15]:
            assert isinstance(line, ssl.SSLSocket)
            line.send(b"x")  # one byte at a time
        pongs.append(house.is_alive() if len(pongs) % 20 == 0 else house.pong())
    pongs.sort()
    assert pongs[98] < PONG_SECONDS, (before, pongs[-5:])
    for line in open_lines:
        line.close()  # type: ignore[attr-defined]


# ---------------------------------------------------------------- 22


@pytest.mark.parametrize("name", MALFORMED)
def test_22_what_cannot_be_understood_ends_the_socket(house: House, name: str):
    raw, code = MALFORMED[name]
    start = time.monotonic()
    with house.trail.gains(Verb.ROOM_JOIN, code):
        line = Browser(house.installation).socket()
        line.raw(raw)
        line.is_refused(code)
    with house.trail.gains(Verb.ROOM_JOIN, code, f"participation:{house.abused.participation}"):
        line = house.abused.connect()
        line.raw(raw)
        line.is_refused(code)
    assert time.monotonic() - start < 4, "slow to read"


def test_22_what_is_too_large_ends_the_socket(house: House):
    too_large = PROBLEMS["message_too_large"].close_code
    place = f"participation:{house.abused.participation}"
    padding = {"type": "ping", "n": 1, "pad": ""}
    # The last size is beyond what the WebSocket library itself takes.
    sizes = (65_537, 66_560, 1_048_576, 1_100_000)
    for raw in (*("x" * size for size in sizes), b"\x00" * 66_560, "é" * 40_000):
        for line, subject in (
            (Browser(house.installation).socket(), ""),
            (house.abused.connect(), place),
        ):
            with house.trail.gains(Verb.ROOM_JOIN, "message_too_large", subject):
                line.raw(raw)
                assert line.ends() == too_large, len(raw)
    with house.trail.gains(Verb.ROOM_JOIN, "message_too_large"):
        pieces = Browser(house.installation).socket()
        pieces.pieces(["x" * 10_000] * 20)
        assert pieces.ends() == too_large
    # Up to the limit it is read: refused for its shape and not for its size.
    line = Browser(house.installation).socket()
    size = 65_536 - len(json.dumps(padding))
    line.raw(json.dumps({**padding, "pad": "x" * size}))
    line.is_refused("message_malformed")
    for no_text, subject in (
        (Browser(house.installation).socket(), ""),
        (house.abused.connect(), place),
    ):
        with house.trail.gains(Verb.ROOM_JOIN, "message_malformed", subject):
            no_text.pieces([b"\xff\xfe"], as_text=True)
            assert no_text.ends() == 1007
    # No compression is agreed, so nothing small becomes something large here.
    line = dial(Browser(house.installation), compression="deflate")
    assert line.response is not None
    assert "Sec-WebSocket-Extensions" not in line.response.headers
    Socket(line).close()


def test_22_a_flood_ends_the_socket_and_nobody_else_notices(house: House):
    place = f"participation:{house.abused.participation}"
    pongs: list[float] = []
    for flood in ('{"type":"ping","n":1}', '{"type":"restart_media","epoch":1}'):
        line = house.abused.connect()
        with house.trail.gains(Verb.ROOM_JOIN, "message_rate", place):
            sending = Meanwhile(
                lambda flood=flood, line=line: [line.raw(flood) for _ in range(10_000)]
            )
            pongs += [house.pong() for _ in range(5)]
            line.hears("error", code="message_rate")
            assert line.ends() == PROBLEMS["message_rate"].close_code == 1008
            sending.result()
    assert statistics.median(pongs) < PONG_SECONDS, pongs
    assert max(pongs) < DEAD_SECONDS, pongs
    # Before a hello there is nothing to flood.
    stranger = Browser(house.installation).socket()
    stranger.flood(['{"type":"ping","n":1}'] * 1_000)
    stranger.is_refused("hello_required")


def test_22_whoever_hears_late_still_learns_why(house: House):
    """A line that is slow in one direction, and a page that goes on talking meanwhile."""
    line = house.abused.connect()
    with line.deaf():
        line.raw("no JSON")
        for number in range(25):
            time.sleep(0.1)  # how slow it is
            line.say("ping", n=number)
    line.is_refused("message_malformed")


# ---------------------------------------------------------------- 23


def describing(line: Socket, epoch: int, sdp: str, kind: str = "offer") -> None:
    line.say("describe", link="peer", epoch=epoch, description={"type": kind, "sdp": sdp})


def private_call(house: House, visit: Visit | None = None) -> tuple[Socket, Socket, int]:
    """Host and guest in a call (the abused one), and the epoch of their path."""
    visit = visit or house.abused
    host, guest = house.sit(visit), visit.connect()
    epoch = int(guest.hears("media", ready=True)["epoch"])
    host.hears("media", ready=True, epoch=epoch)
    host.forget("media")  # of the moment when it was alone
    return host, guest, epoch


def test_23_descriptions_of_another_shape_go_nowhere(house: House):
    host, guest, epoch = private_call(house)
    place = f"participation:{house.abused.participation}"
    for sdp in BAD_SDP.values():
        with house.trail.gains(Verb.MEDIA_CONNECT, "sdp_refused", place):
            describing(guest, epoch, sdp[:49_152])
            guest.is_refused("sdp_refused", "describe", stays=True)
        host.hears_no("described")
    # Of another epoch, however good: dropped without a word.
    describing(guest, epoch + 1, offer(None, "sendrecv"))
    # For a media worker that is none of this call's.
    with house.trail.gains(Verb.MEDIA_CONNECT, "sdp_refused", place):
        guest.say(
            "describe",
            link="publish",
            epoch=epoch,
            description={"type": "offer", "sdp": offer()},
        )
        guest.is_refused("sdp_refused", "describe", stays=True)
    host.hears_no("described")
    describing(guest, epoch, offer(None, "sendrecv"))
    assert host.hears("described")["description"]["type"] == "offer"
    host.close()
    guest.close()


def test_23_candidates_are_capped(house: House):
    set_relay_only(house, house.abused, False)  # where there is a relay, each would be refused
    host, guest, epoch = private_call(house)
    most = 4 * MAX_CANDIDATES
    with house.trail.gains(Verb.MEDIA_CONNECT, "candidate_refused"):
        for one in many_candidates(most + 20):
            guest.say("candidate", link="peer", epoch=epoch, candidate=one)
        guest.is_refused("candidate_refused", "candidate", stays=True)
    guest.hears_no("error")
    host.is_alive()
    told = [message for message in host.heard if message["type"] == "remote_candidate"]
    assert len(told) == most
    # 500 at once are a flood.
    with house.trail.gains(Verb.ROOM_JOIN, "message_rate"):
        for one in many_candidates(500):
            guest.say("candidate", link="peer", epoch=epoch, candidate=one)
        guest.hears("error", code="message_rate")
        assert guest.ends() == 1008
    host.close()


# ---------------------------------------------------------------- 24


def test_24_relay_only_passes_no_address_but_the_relays(house: House):
    visit, place = house.abused, f"participation:{house.abused.participation}"
    set_relay_only(house, visit, True)
    host, guest, epoch = private_call(house)
    for one in NOWHERE_TO_SEND + NO_CANDIDATES:
        with house.trail.gains(Verb.MEDIA_CONNECT, "candidate_refused", place):
            guest.say("candidate", link="peer", epoch=epoch, candidate=one)
            guest.is_refused("candidate_refused", "candidate", stays=True)
    too_long = pointing_to("10.0.0.1") + " generation " + "0" * MAX_CANDIDATE_CHARS
    guest.say("candidate", link="peer", epoch=epoch, candidate=RELAYED)
    passed = host.hears("remote_candidate")["candidate"]
    assert "198.51.100.7" in passed
    assert "192.168.7.9" not in passed
    host.hears_no("remote_candidate")
    describing(guest, epoch, offer({"candidates": [HOST, MDNS, REFLEXIVE, RELAYED]}, "sendrecv"))
    described = host.hears("described")["description"]["sdp"]
    assert "198.51.100.7" in described
    for address in ("192.168.7.9", ".local", "203.0.113.5"):
        assert address not in described
    with house.trail.gains(Verb.ROOM_JOIN, "message_malformed", place):
        guest.say("candidate", link="peer", epoch=epoch, candidate=too_long)
        guest.is_refused("message_malformed")
    host.close()
    set_relay_only(house, visit, False)


def test_24_without_a_relay_only_addresses_pass_and_none_of_ones_own_behind_them(house: House):
    host, guest, epoch = private_call(house)
    place = f"participation:{house.abused.participation}"
    for one in NO_CANDIDATES:
        with house.trail.gains(Verb.MEDIA_CONNECT, "candidate_refused", place):
            guest.say("candidate", link="peer", epoch=epoch, candidate=one)
            guest.is_refused("candidate_refused", "candidate", stays=True)
    guest.say("candidate", link="peer", epoch=epoch, candidate=REFLEXIVE)
    passed = host.hears("remote_candidate")["candidate"]
    assert "203.0.113.5" in passed
    assert "192.168.7.9" not in passed
    assert "network-cost" not in passed
    host.close()
    guest.close()


# ---------------------------------------------------------------- 28


def test_28_tokens_that_are_no_tickets_are_refused_and_on_the_trail(house: House):
    visit = house.abused
    tokens = house.back_room.do(
        "import uuid\n"
        "from audit.clock import database_now\n"
        "from meetings.models import Seat\n"
        "from vault import signing\n"
        "from vault.models import SigningKey\n"
        "seat = Seat.objects.get(participation_id=guest, state='current')\n"
        "now = int(database_now().timestamp())\n"
        "good = {'aud': 'consilium:signal', 'iat': now, 'exp': now + 60,\n"
        "        'org': str(seat.organisation_id), 'seat': str(seat.pk),\n"
        "        'gen': seat.generation, 'for': 'join'}\n"
        "def made(purpose='ticket', **changed):\n"
        "    claims = {**good, 'jti': str(uuid.uuid4()), **changed}\n"
        "    return signing.sign(SigningKey.Purpose(purpose), claims)\n"
        "answer = {\n"
        "    'claims': good,\n"
        "    'good': made(),\n"
        "    'kid and public': signing.public_keys(SigningKey.Purpose.TICKET)[0],\n"
        "    'ticket_expired': [made(exp=now - 1), made(exp=0)],\n"
        "    'ticket_purpose': [made(aud='consilium:media-worker'),\n"
        "        made(aud=['consilium:signal'])],\n"
        "    'ticket_invalid': [made('lease'), made(**{'for': 'record'}), made(seat='x'),\n"
        "        made(jti=5), made(exp='soon'), made(exp=1e300), made(gen=None), made(org=[])],\n"
        "    'taken_over': [made(gen=seat.generation + 1), made(gen=0)],\n"
        "    'seat_unknown': [made(seat=str(uuid.uuid4()))],\n"
        "}",
        guest=visit.participation,
    )
    _, public = tokens.pop("kid and public")
    claims = {**tokens.pop("claims"), "jti": str(uuid4())}
    good = tokens.pop("good")
    head, body, signature = good.split(".")
    wider = json.dumps({**claims, "for": "join", "exp": claims["exp"] + 10**6}).encode()
    tokens["ticket_invalid"] += [
        f"{head}.{base64url(wider)}.{signature}",
        f"{head}.{body}.{'A' * len(signature)}",
        f"{head}.{body}.",
        f"{head}.{body}",
        assertion(Ed25519PrivateKey.generate(), claims),
        unsigned(claims),
        hmac_signed(claims, public),
        "x" * 2_000,
        "." * 40,
    ]
    for code, each in tokens.items():
        for token in each:
            with house.trail.gains(Verb.ROOM_JOIN, code):
                line = visit.browser.socket()
                line.say("hello", version=1, ticket=token)
                line.is_refused(code, "hello")
    visit.browser.hello(good).close()
    with house.trail.gains(Verb.ROOM_JOIN, "ticket_spent"):
        line = visit.browser.socket()
        line.say("hello", version=1, ticket=good)
        line.is_refused("ticket_spent", "hello")
    # A ticket is no worker's assertion.
    worker = Browser(house.installation).socket(path="/media/link", origin=None)
    with house.trail.gains(Verb.WORKER_LINK, "worker_unknown"):
        worker.say("hello", version=1, assertion=visit.ticket("join"), capacity=1, present=[])
        assert worker.ends() == PROBLEMS["worker_unknown"].close_code


def test_28_one_ticket_on_ten_sockets_at_once_opens_one(house: House):
    ticket = house.abused.ticket("join")
    lines = [house.abused.browser.socket() for _ in range(10)]
    ready = threading.Barrier(10)

    def knock(line: Socket) -> None:
        ready.wait()
        line.say("hello", version=1, ticket=ticket)

    with house.trail.gains(Verb.ROOM_JOIN, "ticket_spent", count=9):
        for going in [Meanwhile(lambda line=line: knock(line)) for line in lines]:
            going.result()
        deadline = time.monotonic() + 5
        while sum(line.close_code is not None for line in lines) < 9:
            assert time.monotonic() < deadline, [line.close_code for line in lines]
            time.sleep(0.02)
    open_lines = [line for line in lines if line.close_code is None]
    assert len(open_lines) == 1
    open_lines[0].hears("welcome")
    open_lines[0].close()


# ---------------------------------------------------------------- 33


def test_33_csrf_and_cross_site_sockets_are_refused(house: House):
    visit = house.abused
    evil = "https://evil.example.test"
    for origin in (evil, house.installation.url.replace("https", "http"), "null", None):
        with house.trail.gains(Verb.ROOM_JOIN, "cross_site"):
            is_shut_out(visit.browser, origin=origin)
    for path in ("/signal/", "/", "/media", "/ws", "/signal%00"):
        with house.trail.gains(Verb.DOOR_KNOCK, "not_found"):
            is_shut_out(visit.browser, path=path)
    doors = [
        (visit.browser, visit.path("ticket"), {"purpose": "join"}),
        (visit.browser, visit.path("verification/send"), {}),
        (visit.browser, visit.path("verification/check"), {"code": "123456"}),
        (visit.browser, "/visit/redeem", {"secret": visit.invited.secret}),
        (house.host, f"/desk/meetings/{visit.meeting}/end/", {}),
        (house.host, "/desk/meetings/new/", {}),
        (house.host, "/accounts/logout/", {}),
    ]
    tags = [
        *(Verb.ROOM_JOIN, Verb.CODE_SEND, Verb.GUEST_VERIFY, Verb.INVITATION_REDEEM),
        *(Verb.MEETING_END, Verb.MEETING_CREATE, Verb.DOOR_KNOCK),
    ]
    trail_before = house.trail.last()
    for person, path, body in doors:
        for changed in (
            {"X_CSRFToken": None},
            {"X_CSRFToken": "a" * 64},
            {"Origin": evil},
            {"Origin": "null"},
            {"Origin": None, "Referer": None},
            {"Origin": None, "Referer": f"{evil}/"},
        ):
            assert person.post(path, body, **changed).status == 403, (path, changed)
            assert person.submit(path, body, **changed).status == 403, (path, changed)
    # Of these only, and not by the one who comes back after half a minute (``slow``): what earlier
    # tests began goes on meanwhile.
    done = house.trail.ask(
        "SELECT tag, subject FROM audit_trailrow WHERE outcome = 'done' AND id > ?", trail_before
    )
    elsewhere = f"participation:{house.over.participation}"
    assert [row for row in done if row[0] in tags and row[1] != elsewhere] == []
    tried = Counter(row[0] for row in house.trail.refusals(trail_before) if row[1] == "cross_site")
    assert tried == dict.fromkeys(tags, 12), "each of them is on the trail"
    # Another site's name for this machine is no name of ours.
    assert Browser(house.installation).get("/", Host="evil.example.test").status == 400
    # No other site may read an answer.
    answer = house.host.get(visit.path("me"), Origin=evil)
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


# ---------------------------------------------------------------- 31


def test_31_a_person_removed_is_out_at_once_and_for_good(house: House):
    """Their browser's media is looked at in ``tests/flows``; here, what the server still allows."""
    visit = house.abused
    host, guest, epoch = private_call(house)
    in_hand = visit.ticket("join")
    start = time.monotonic()
    host.say("remove", participation=visit.participation)
    assert guest.hears("goodbye", 2)["reason"] == "removed"
    assert guest.ends(2) == 1000
    gone = host.hears("media", 2, ready=False)
    assert gone["epoch"] > epoch
    assert gone["peer"] is None
    assert time.monotonic() - start < 2
    room(host, lambda people: len(people) == 1)
    for purpose, verb in (("wait", Verb.ROOM_WAIT), ("join", Verb.ROOM_JOIN)):
        with house.trail.gains(verb, "removed", "seat:"):
            visit.browser.ticket(visit.meeting, purpose).is_refused("removed")
    with house.trail.gains(Verb.ROOM_JOIN, "removed", "seat:"):
        line = visit.browser.socket()
        line.say("hello", version=1, ticket=in_hand)
        line.is_refused("removed", "hello")
    with house.trail.gains(Verb.CODE_SEND, "removed"):
        visit.browser.post(visit.path("verification/send")).is_refused("removed")
    host.close()


# ---------------------------------------------------------------- what took its time


def test_20_a_socket_lost_for_half_a_minute_is_resumed(slow: Slow):
    slow.lost.result(45)


def test_21_sockets_that_say_nothing_are_reaped(house: House, slow: Slow):
    longest, lines = slow.no_hello.result()
    assert longest < HELLO_SECONDS + 2
    for line in lines:
        line.is_refused("hello_required")
    refused = [row for row in house.trail.refusals(0) if row[1] == "hello_required"]
    assert len(refused) >= len(lines)
    lasted, code = slow.silent.result()
    silent = [row for row in house.trail.refusals(0) if row[1] == "socket_silent"]
    assert silent == [
        (
            Verb.ROOM_JOIN.value,
            "socket_silent",
            f"participation:{house.lobby.participation}",
        )
    ]
    assert SILENCE_SECONDS - 1 < lasted < SILENCE_SECONDS + 2
    assert code == PROBLEMS["socket_silent"].close_code


# ---------------------------------------------------------------- what stays behind


def test_nothing_that_was_sent_lies_in_the_log_or_the_database(house: House):
    """Runs last. Descriptions, addresses and words above were refused, and some were passed on."""
    nothing_was_left_behind(house)


# ---------------------------------------------------------------- helpers


def room(line: Socket, as_wanted: object, seconds: float = 5) -> None:
    """The host is told of a room whose people are ``as_wanted``."""
    deadline = time.monotonic() + seconds
    while not as_wanted(line.hears("state", deadline - time.monotonic())["people"]):  # type: ignore[operator]
        pass


def set_relay_only(house: House, visit: Visit, on: bool) -> None:
    house.back_room.do(
        "from meetings.models import Meeting\n"
        "Meeting.objects.filter(pk=meeting).update(relay_only=on)",
        meeting=visit.meeting,
        on=on,
    )
