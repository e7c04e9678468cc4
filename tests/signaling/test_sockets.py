"""Who may knock at which socket, and the manners of one that is open."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator

from access.verbs import Verb
from audit.models import TrailRow
from consilium.asgi import sockets
from foundation.errors import PROBLEMS
from meetings.actions import enter, host, verify
from meetings.models import Participation, Seat
from tests.meetings.visit import acting_through, code_for, cookies, redeemed

PAGE = [(b"origin", b"https://localhost"), (b"host", b"localhost")]

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def here(monkeypatch) -> None:
    """The consumer's database work on the test's own connection, in the test's transaction."""
    import channels.consumer
    import channels.generic.websocket

    from media import consumers as of_workers
    from signaling import consumers

    async def on_this_thread(call: Any, *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(call)(*args, **kwargs)

    for module in (consumers, of_workers):
        for name in ("in_database", "_in_database"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, on_this_thread)

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


@pytest.mark.parametrize(
    ("path", "headers", "opened"),
    [
        ("/signal", PAGE, True),
        ("/signal", [], False),
        ("/signal", [(b"origin", b"http://localhost")], False),
        ("/signal", [(b"origin", b"https://evil.test")], False),
        ("/signal", [(b"origin", b"https://localhost.evil.test")], False),
        ("/signal", [(b"origin", b"null")], False),
        ("/signal", [(b"origin", b"")], False),
        ("/media/link", [], True),
        ("/media/link", PAGE, False),
        ("/media/link", [(b"origin", b"")], False),
        ("/", PAGE, False),
        ("/nowhere", PAGE, False),
        ("/signal/more", PAGE, False),
    ],
)
def test_who_may_knock_where(path, headers, opened):
    assert knock(path, headers) is opened


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
    assert lobby == {"type": "lobby", "place": 1, "waiting": 1, "host_here": False}
    assert pong == {"type": "pong", "n": 41}
    assert [(error["code"], error["about"]) for error in errors] == [
        ("ticket_purpose", "admit"),
        ("ticket_purpose", "describe"),
        ("ticket_purpose", "sources"),
    ]
    assert [reason for _, reason in refusals()] == ["ticket_purpose"] * 3
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


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"type": "renew", "participants": 1, "cpu_percent": 1}',
        '{"type": "hello", "version": 1, "assertion": "a.b.c", "capacity": 5, "present": []}',
        '{"type": "hello", "version": 9, "assertion": "a.b.c", "capacity": 5, "present": []}',
    ],
)
def test_a_worker_that_does_not_prove_who_it_is_is_closed(text):
    async def run() -> dict[str, Any]:
        link = WebsocketCommunicator(sockets, "/media/link", [])
        assert (await link.connect())[0]
        try:
            await link.send_to(text_data=text)
            return await link.receive_output(5)
        finally:
            await link.disconnect()
            await asyncio.sleep(0)

    closed = async_to_sync(run)()
    assert closed["type"] == "websocket.close"
    assert closed["code"] in {1008, 4035, 4036, 4050}
