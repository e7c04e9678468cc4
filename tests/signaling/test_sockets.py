"""Who may knock at which socket, and the manners of one that is open."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from joserfc import jwt
from joserfc.jwk import OKPKey

from access.verbs import Verb
from audit.clock import database_now
from audit.models import TrailRow
from consilium.asgi import sockets
from foundation.actor import service
from foundation.errors import FAILED_BY_THE_SOCKET, PROBLEMS
from foundation.wire.worker import ASSERTION_AUDIENCE
from media.actions import workers
from media.consumers import WorkerLink
from meetings import minting
from meetings.actions import enter, host, verify
from meetings.models import Participation, Seat
from signaling import hello as opening
from signaling import limits
from signaling.consumers import MeetingConsumer
from tests.meetings.visit import acting_through, admitted, code_for, cookies, redeemed

PAGE = [(b"origin", b"https://localhost"), (b"host", b"localhost")]

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def here(monkeypatch) -> None:
    """The consumer's database work on the test's own connection, in the test's transaction."""
    import channels.consumer
    import channels.generic.websocket

    from consilium import sockets as knocking
    from media import consumers as of_workers
    from signaling import consumers

    async def on_this_thread(call: Any, *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(call)(*args, **kwargs)

    for module in (consumers, of_workers, knocking):
        monkeypatch.setattr(module, "in_database", on_this_thread)

    async def keep_open() -> None:
        """Channels closes connections that look old; the test's transaction makes it look so."""

    for module in (channels.consumer, channels.generic.websocket):
        monkeypatch.setattr(module, "aclose_old_connections", keep_open)


def knock(path: str, headers: list[tuple[bytes, bytes]]) -> bool:
    async def attempt() -> bool:
        communicator = WebsocketCommunicator(sockets, path, headers)
        connected, _ = await communicator.connect()
        await communicator.disconnect()
        return connected

    return async_to_sync(attempt)()


PAGES = (Verb.ROOM_JOIN.value, "cross_site")
WORKERS = (Verb.WORKER_LINK.value, "cross_site")
NOWHERE = (Verb.DOOR_KNOCK.value, "not_found")


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    ("path", "headers", "refusal"),
    [
        ("/signal", PAGE, None),
        ("/signal", [], PAGES),
        ("/signal", [(b"origin", b"http://localhost")], PAGES),
        ("/signal", [(b"origin", b"https://evil.test")], PAGES),
        ("/signal", [(b"origin", b"https://localhost.evil.test")], PAGES),
        ("/signal", [(b"origin", b"https://[")], PAGES),
        ("/signal", [(b"origin", b"https://\xff")], PAGES),
        ("/signal", [(b"origin", b"null")], PAGES),
        ("/signal", [(b"origin", b"")], PAGES),
        ("/media/link", [], None),
        ("/media/link", PAGE, WORKERS),
        ("/media/link", [(b"origin", b"")], WORKERS),
        ("/", PAGE, NOWHERE),
        ("/nowhere", PAGE, NOWHERE),
        ("/signal/more", PAGE, NOWHERE),
    ],
)
def test_who_may_knock_where(path, headers, refusal):
    assert knock(path, headers) is (refusal is None)
    assert refusals() == ([refusal] if refusal else [])


# ------------------------------------------------------------ an open socket


class Page:
    """A page's socket, spoken to from a test."""

    def __init__(self, jar: dict[str, str] | None = None) -> None:
        cookie = "; ".join(f"{name}={value}" for name, value in (jar or {}).items())
        headers = [*PAGE, (b"cookie", cookie.encode())]
        self.socket = WebsocketCommunicator(sockets, "/signal", headers)

    async def say(self, **message: object) -> None:
        await self.socket.send_to(text_data=json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        """The next message; a close is ``{"close": code}``."""
        event = await self.socket.receive_output(5)
        if event["type"] == "websocket.close":
            return {"close": event["code"]}
        return json.loads(event["text"])

    async def hear_until(self, kind: str) -> dict[str, Any]:
        while True:
            message = await self.hear()
            if message.get("type") == kind or "close" in message:
                return message


def with_page(script: Any, jar: dict[str, str] | None = None) -> Any:
    """Run ``script(page)`` on an open socket."""

    async def run() -> Any:
        page = Page(jar)
        assert (await page.socket.connect())[0]
        try:
            return await script(page)
        finally:
            await page.socket.disconnect()

    return async_to_sync(run)()


@pytest.fixture
def guest(cast) -> tuple[Seat, dict[str, str]]:
    cast.planned, issued = cast.meeting()
    taken = redeemed(issued)
    seat = verify.verify_code(acting_through(taken.seat), taken.seat.pk, code_for(taken.seat))
    return seat, cookies(cast.planned.pk, taken.seat_secret)


def refusals() -> list[tuple[str, str]]:
    return list(TrailRow.objects.filter(outcome="refused").values_list("tag", "reason"))


BAD_MANNERS = {
    "message_malformed": "{",
    "message_unknown": '{"type": "open_sesame"}',
    "message_too_large": "x" * 70_000,
    "hello_required": '{"type": "leave"}',
}


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("code", BAD_MANNERS)
def test_bad_manners_are_said_written_down_and_the_end(code):
    async def script(page: Page) -> list[dict[str, Any]]:
        await page.socket.send_to(text_data=BAD_MANNERS[code])
        return [await page.hear(), await page.hear()]

    said, closed = with_page(script)
    assert (said["type"], said["code"]) == ("error", code)
    assert closed == {"close": PROBLEMS[code].close_code}
    assert refusals() == [(Verb.ROOM_JOIN.value, code)]


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("code", FAILED_BY_THE_SOCKET)
def test_what_the_websocket_itself_ends_is_written_down_too(code):
    async def script(page: Page) -> None:
        await page.socket.send_input({"type": "websocket.disconnect", "code": code})
        await page.socket.wait(5)

    with_page(script)
    assert refusals() == [(Verb.ROOM_JOIN.value, FAILED_BY_THE_SOCKET[code])]


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 3000])
def test_a_page_that_goes_is_no_refusal(code):
    async def script(page: Page) -> None:
        await page.socket.send_input({"type": "websocket.disconnect", "code": code})
        await page.socket.wait(5)

    with_page(script)
    assert refusals() == []


def test_silence_is_written_down_and_the_end_without_a_word(cast, guest, monkeypatch):
    seat, jar = guest
    ticket = enter.wait_ticket(acting_through(seat), seat)
    monkeypatch.setattr(limits, "HELLO_SECONDS", 0.5)
    monkeypatch.setattr(limits, "SILENCE_SECONDS", 0.5)

    async def script(page: Page) -> list[dict[str, Any]]:
        await page.say(type="hello", version=1, ticket=ticket)
        return [await page.hear(), await page.hear(), await page.hear()]

    welcome, lobby, closed = with_page(script, jar)
    assert (welcome["type"], lobby["type"]) == ("welcome", "lobby")
    assert closed == {"close": 4037}
    row = TrailRow.objects.get(outcome="refused")
    assert (row.tag, row.reason) == (Verb.ROOM_JOIN.value, "socket_silent")
    assert row.subject == f"participation:{seat.participation_id}"
    assert row.actor == f"guest:{seat.participation.guest_id}"
    assert row.organisation_id == cast.hospital.pk


def test_a_page_that_says_more_than_is_read_is_written_down(cast, guest, monkeypatch):
    """The database is slow; what waits for it has a limit of its own beside the rate."""
    seat, jar = guest
    ticket = enter.wait_ticket(acting_through(seat), seat)
    monkeypatch.setattr(limits, "QUEUE_LENGTH", 2)
    identify, go_on = opening.identify, threading.Event()

    def slowly(*arguments: Any) -> opening.Connection:
        assert go_on.wait(5)
        return identify(*arguments)

    monkeypatch.setattr(opening, "identify", slowly)

    async def script(page: Page) -> list[dict[str, Any]]:
        for _ in range(4):
            await page.say(type="hello", version=1, ticket=ticket)
        heard = await page.hear()
        # The test's one thread for the database is free again for the entry.
        go_on.set()
        return [heard, await page.hear_until("nothing more")]

    said, closed = with_page(script, jar)
    assert said["code"] == "try_later"
    assert closed == {"close": PROBLEMS["try_later"].close_code}
    assert (Verb.ROOM_JOIN.value, "try_later") in refusals()


@pytest.mark.usefixtures("cast")
def test_who_never_says_hello_is_written_down(monkeypatch):
    monkeypatch.setattr(limits, "HELLO_SECONDS", 0.2)

    async def script(page: Page) -> list[dict[str, Any]]:
        return [await page.hear(), await page.hear()]

    said, closed = with_page(script)
    assert said["code"] == "hello_required"
    assert closed == {"close": 4035}
    assert refusals() == [(Verb.ROOM_JOIN.value, "hello_required")]


def test_a_second_hello_with_a_ticket_for_another_place_is_refused_and_written_down(cast, guest):
    """The waiting room's socket speaks for one place, also when another ticket is a good one."""
    seat, jar = guest
    ticket = enter.wait_ticket(acting_through(seat), seat)
    other_meeting, issued = cast.meeting()
    other = admitted(cast, other_meeting, issued)
    other_ticket = enter.join_ticket(acting_through(other), other)
    secret = minting.seat_secret()
    Seat.objects.filter(pk=other.pk).update(secret_hash=secret.hashed)
    both = {**jar, **cookies(other_meeting.pk, secret)}
    before = TrailRow.objects.latest("id").pk

    async def script(page: Page) -> list[dict[str, Any]]:
        await page.say(type="hello", version=1, ticket=ticket)
        await page.hear_until("lobby")
        await page.say(type="hello", version=1, ticket=other_ticket)
        return [await page.hear_until("error"), await page.hear()]

    said, closed = with_page(script, both)
    assert (said["code"], said["about"]) == ("ticket_purpose", "hello")
    assert closed == {"close": PROBLEMS["ticket_purpose"].close_code}
    row = TrailRow.objects.get(pk__gt=before, outcome="refused")
    assert (row.tag, row.reason) == (Verb.ROOM_JOIN.value, "ticket_purpose")
    assert row.subject == f"participation:{seat.participation_id}"
    assert row.organisation_id == cast.hospital.pk


def test_a_seat_taken_over_between_hello_and_welcome_is_written_down(cast, guest, monkeypatch):
    seat, jar = guest
    ticket = enter.wait_ticket(acting_through(seat), seat)
    identify = opening.identify

    def taken_over_meanwhile(*arguments: Any) -> opening.Connection:
        connection = identify(*arguments)
        Seat.objects.filter(pk=seat.pk).update(state="ended")
        return connection

    monkeypatch.setattr(opening, "identify", taken_over_meanwhile)

    async def script(page: Page) -> list[dict[str, Any]]:
        await page.say(type="hello", version=1, ticket=ticket)
        return [await page.hear_until("error"), await page.hear()]

    said, closed = with_page(script, jar)
    assert said["code"] == "taken_over"
    assert closed == {"close": 4034}
    row = TrailRow.objects.get(outcome="refused")
    assert (row.reason, row.subject) == ("taken_over", f"participation:{seat.participation_id}")


@pytest.mark.usefixtures("cast")
def test_bytes_are_no_message():
    async def script(page: Page) -> dict[str, Any]:
        await page.socket.send_to(bytes_data=b"\x00\x01")
        return await page.hear()

    assert with_page(script)["code"] == "message_malformed"


@pytest.mark.usefixtures("cast")
def test_a_flood_is_the_end():
    async def script(page: Page) -> dict[str, Any]:
        for _ in range(400):
            await page.socket.send_to(text_data='{"type": "ping", "n": 1}')
        return await page.hear_until("error")

    assert with_page(script)["code"] in {"message_rate", "hello_required", "try_later"}


@pytest.mark.usefixtures("cast")
def test_a_hello_without_a_good_ticket_is_the_end():
    async def script(page: Page) -> list[dict[str, Any]]:
        await page.say(type="hello", version=1, ticket="x" * 40)
        return [await page.hear(), await page.hear()]

    said, closed = with_page(script)
    assert said["code"] == "ticket_invalid"
    assert closed == {"close": PROBLEMS["ticket_invalid"].close_code}
    assert refusals() == [(Verb.ROOM_JOIN.value, "ticket_invalid")]


def test_who_waits_is_welcomed_and_learns_their_place_and_no_more(cast, guest):
    seat, jar = guest
    ticket = enter.wait_ticket(acting_through(seat), seat)

    async def script(page: Page) -> list[dict[str, Any]]:
        await page.say(type="hello", version=1, ticket=ticket)
        heard = [await page.hear(), await page.hear()]
        await page.say(type="ping", n=41)
        heard.append(await page.hear_until("pong"))
        for message in (
            {"type": "admit", "participation": str(seat.participation_id)},
            {
                "type": "describe",
                "link": "peer",
                "epoch": 1,
                "description": {"type": "offer", "sdp": "v=0"},
            },
            {"type": "sources", "microphone": True, "camera": True, "screen": True},
        ):
            await page.say(**message)
            heard.append(await page.hear_until("error"))
        return heard

    welcome, lobby, pong, *errors = with_page(script, jar)
    assert (welcome["type"], welcome["purpose"], welcome["host"]) == ("welcome", "wait", False)
    assert lobby == {
        "type": "lobby",
        "place": 1,
        "waiting": 1,
        "host_here": False,
        "question": None,
    }
    assert pong == {"type": "pong", "n": 41}
    assert [(error["code"], error["about"]) for error in errors] == [
        ("ticket_purpose", "admit"),
        ("ticket_purpose", "describe"),
        ("ticket_purpose", "sources"),
    ]
    assert refusals() == [
        (verb.value, "ticket_purpose")
        for verb in (Verb.GUEST_ADMIT, Verb.MEDIA_CONNECT, Verb.MEDIA_PUBLISH)
    ]
    assert Participation.objects.get(pk=seat.participation_id).socket is None, "it closed"


def test_who_leaves_the_waiting_room_is_told_goodbye(cast, guest):
    seat, jar = guest
    ticket = enter.wait_ticket(acting_through(seat), seat)

    async def script(page: Page) -> list[dict[str, Any]]:
        from channels.layers import get_channel_layer

        from meetings.rooms import meeting_group

        await page.say(type="hello", version=1, ticket=ticket)
        await page.hear_until("lobby")
        await page.say(type="leave")
        await page.say(type="ping", n=1)
        await page.hear_until("pong")  # what was said before it is done
        group = meeting_group(cast.planned.pk)
        await get_channel_layer().group_send(group, {"type": "room.changed"})
        return [await page.hear_until("goodbye"), await page.hear()]

    goodbye, closed = with_page(script, jar)
    assert goodbye == {"type": "goodbye", "reason": "left", "may_return": True}
    assert closed == {"close": 1000}
    assert Participation.objects.get(pk=seat.participation_id).state == "verified"


def test_a_page_is_told_of_its_end_even_when_the_hint_got_lost(cast, guest):
    seat, jar = guest
    ticket = enter.wait_ticket(acting_through(seat), seat)
    clinician = cast.acting(cast.clinician)

    async def script(page: Page) -> list[dict[str, Any]]:
        from channels.layers import get_channel_layer

        from meetings.rooms import meeting_group

        await page.say(type="hello", version=1, ticket=ticket)
        await page.hear_until("lobby")
        await sync_to_async(host.end_meeting)(clinician, cast.planned.pk)
        # Its goodbye is owed in the outbox and nobody delivers it here; any other hint will do.
        group = meeting_group(cast.planned.pk)
        await get_channel_layer().group_send(group, {"type": "room.changed"})
        return [await page.hear_until("goodbye"), await page.hear()]

    goodbye, closed = with_page(script, jar)
    assert goodbye == {"type": "goodbye", "reason": "ended", "may_return": False}
    assert closed == {"close": 1000}


def test_a_page_looks_again_by_itself_when_the_channel_layer_has_forgotten_it(
    cast, guest, monkeypatch
):
    seat, jar = guest
    ticket = enter.wait_ticket(acting_through(seat), seat)
    monkeypatch.setattr(limits, "HELLO_SECONDS", 0.3)
    monkeypatch.setattr(limits, "SILENCE_SECONDS", 0.6)
    clinician = cast.acting(cast.clinician)

    async def script(page: Page) -> tuple[dict[str, Any], set[str]]:
        from channels.layers import get_channel_layer

        await page.say(type="hello", version=1, ticket=ticket)
        await page.hear_until("lobby")
        layer = get_channel_layer()
        groups = {group for group, channels in layer.groups.items() if channels}
        layer.groups.clear()
        admit = sync_to_async(host.admit_guest)
        await admit(clinician, cast.planned.pk, seat.participation_id)  # nobody delivers the hint
        heard: dict[str, Any] = {}
        for number in range(20):
            await page.say(type="ping", n=number)
            while (heard := await page.hear()).get("type") not in {"pong", "admitted"}:
                pass
            if heard["type"] == "admitted":
                break
            await asyncio.sleep(0.1)  # the page's own beat
        assert groups <= layer.groups.keys()
        return heard, groups

    heard, groups = with_page(script, jar)
    assert heard["type"] == "admitted"
    assert len(groups) == 2


def test_who_is_let_in_comes_in_on_the_same_socket(cast, guest):
    seat, jar = guest
    ticket = enter.wait_ticket(acting_through(seat), seat)
    clinician = cast.acting(cast.clinician)

    async def script(page: Page) -> list[dict[str, Any]]:
        from channels.layers import get_channel_layer

        from meetings.rooms import meeting_group

        await page.say(type="hello", version=1, ticket=ticket)
        await page.hear_until("lobby")
        admit = sync_to_async(host.admit_guest)
        await admit(clinician, cast.planned.pk, seat.participation_id)
        group = meeting_group(cast.planned.pk)
        await get_channel_layer().group_send(group, {"type": "room.changed"})
        admitted = await page.hear_until("admitted")
        await page.say(type="hello", version=1, ticket=admitted["ticket"])
        heard = [await page.hear_until("welcome"), await page.hear(), await page.hear()]
        await page.say(type="hello", version=1, ticket=admitted["ticket"])
        return [*heard, await page.hear_until("error")]

    welcome, media, state, refused_again = with_page(script, jar)
    assert welcome["purpose"] == "join"
    assert (media["type"], media["path"], media["ready"]) == ("media", "peer", False)
    assert state["type"] == "state"
    assert state["waiting"] == []
    assert (refused_again["code"], refused_again["about"]) == ("ticket_spent", "hello")


@pytest.mark.usefixtures("cast")
def test_a_page_is_answered_in_its_language():
    async def script(page: Page) -> dict[str, Any]:
        await page.socket.send_to(text_data="{")
        return await page.hear()

    english = with_page(script)["text"]
    spanish = with_page(script, {"django_language": "es"})["text"]
    assert english == PROBLEMS["message_malformed"].text
    assert spanish != english


@asynccontextmanager
async def worker_link() -> AsyncIterator[WebsocketCommunicator]:
    link = WebsocketCommunicator(sockets, "/media/link", [])
    assert (await link.connect())[0]
    try:
        yield link
    finally:
        await link.disconnect()
        await asyncio.sleep(0)


@pytest.mark.usefixtures("cast")
def test_a_worker_is_told_the_databases_time_first_and_with_every_renewal(monkeypatch):
    moment = database_now() + timedelta(hours=1)
    monkeypatch.setattr("media.consumers.database_now", lambda: moment)
    pair = OKPKey.generate_key("Ed25519")
    public = str(pair.as_dict(private=False)["x"])
    worker = workers.enrol(workers.invite_worker(service("prepare")), public, "worker-1")
    now = int(database_now().timestamp())
    claims = {"iss": str(worker.pk), "aud": ASSERTION_AUDIENCE, "iat": now, "exp": now + 50}
    assertion = jwt.encode({"alg": "Ed25519"}, {**claims, "jti": str(uuid4())}, pair, ["Ed25519"])
    hello = {"version": 1, "assertion": assertion, "capacity": 5, "present": []}

    async def run() -> list[dict[str, Any]]:
        async with worker_link() as link:
            heard = [json.loads(await link.receive_from(5))]
            await link.send_to(text_data=json.dumps({"type": "hello", **hello}))
            heard.append(json.loads(await link.receive_from(5)))
            for _ in range(2):
                renew = {"type": "renew", "participants": 0, "cpu_percent": 0}
                await link.send_to(text_data=json.dumps(renew))
                heard.append(json.loads(await link.receive_from(5)))
            return heard

    heard = async_to_sync(run)()
    assert [message["type"] for message in heard] == ["time", "welcome", "time", "time"]
    told = [message["now"] for message in heard if message["type"] == "time"]
    assert told == [pytest.approx(moment.timestamp())] * 3


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "message_malformed"),
        ("x" * 70_000, "message_too_large"),
        ('{"type": "shutdown"}', "message_unknown"),
        ('{"type": "renew", "participants": 1, "cpu_percent": 1}', "hello_required"),
        (
            '{"type": "hello", "version": 1, "assertion": "a.b.c", "capacity": 5, "present": []}',
            "worker_unknown",
        ),
        (
            '{"type": "hello", "version": 9, "assertion": "a.b.c", "capacity": 5, "present": []}',
            "version_unknown",
        ),
    ],
)
def test_a_worker_that_does_not_prove_who_it_is_is_closed(text, code):
    async def run() -> dict[str, Any]:
        async with worker_link() as link:
            assert json.loads(await link.receive_from(5))["type"] == "time"
            await link.send_to(text_data=text)
            return await link.receive_output(5)

    closed = async_to_sync(run)()
    assert closed["type"] == "websocket.close"
    assert closed["code"] == PROBLEMS[code].close_code
    assert refusals() == [(Verb.WORKER_LINK.value, code)]


@pytest.mark.parametrize("consumer", [MeetingConsumer, WorkerLink])
async def test_a_channel_layer_that_is_gone_leaves_no_task_behind(consumer, monkeypatch):
    """It ends the consumer by an error and not by a disconnect; the page dials in anew."""
    from channels.layers import get_channel_layer

    async def gone(channel: str) -> dict:
        await asyncio.sleep(0.05)  # the socket is accepted meanwhile
        raise ConnectionError("Redis was killed")

    async def receive() -> dict:
        if not opened.is_set():
            opened.set()
            return {"type": "websocket.connect"}
        return await asyncio.Event().wait()

    async def send(message: dict) -> None:
        sent.append(message["type"])

    opened, sent = asyncio.Event(), []
    monkeypatch.setattr(get_channel_layer(), "receive", gone)
    moment = datetime.now(UTC)
    monkeypatch.setattr("media.consumers.database_now", lambda: moment)
    before = asyncio.all_tasks()
    scope = {"type": "websocket", "path": "/", "headers": [], "client": ["127.0.0.1", 1]}
    with pytest.raises(ConnectionError, match="Redis was killed"):
        await consumer.as_asgi()({**scope, "cookies": {}}, receive, send)
    assert sent[0] == "websocket.accept"
    async with asyncio.timeout(2):
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0)
