"""A call of two and three real browsers through the real worker, from joining to recovery."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from foundation.wire.browser import Link
from foundation.wire.message import Message
from foundation.wire.worker import Revoke, WorkerDescribe
from tests.media_worker.harness import Platform, Worker, running_worker

pytestmark = pytest.mark.browser

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--allow-loopback-in-peer-connection",
    # A muted element would report no audio energy.
    "--autoplay-policy=no-user-gesture-required",
]


class Caller:
    """One person's page, and the server's part in carrying its messages."""

    def __init__(self, page: Page, platform: Platform, room: uuid.UUID) -> None:
        self.page = page
        self.id = uuid.uuid4()
        self.epoch = 0
        self._platform = platform
        self._room = room
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self, url: str) -> None:
        await self.page.expose_function("toServer", self._from_page)
        await self.page.goto(url)
        self._platform.listeners.append(self._from_worker)

    async def join(self, colour: str) -> None:
        """Leases the next epoch and publishes in it."""
        self.epoch += 1
        await self._platform.lease(self._room, self.id, self.epoch)
        await self.page.evaluate("([e, c]) => publish(e, c)", [self.epoch, colour])

    async def _from_page(self, text: str) -> None:
        said = json.loads(text)
        link = Link(said["link"])
        if said["kind"] == "candidate":
            await self._platform.candidate(self._room, self.id, link, said["text"], said["epoch"])
        else:
            await self._platform.describe(
                self._room, self.id, link, said["kind"], said["text"], epoch=said["epoch"]
            )

    def _from_worker(self, message: Message) -> None:
        if not isinstance(message, WorkerDescribe) or message.participant != self.id:
            return
        if message.epoch != self.epoch:
            return
        said = [message.link, message.description.type, message.description.sdp]
        task = asyncio.ensure_future(self.page.evaluate("([l, k, t]) => hear(l, k, t)", said))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def look(self, other: Caller, stream: str = "camera") -> dict[str, Any]:
        seen: dict[str, Any] = await self.page.evaluate("look", f"{other.id}.{stream}")
        return seen


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[tuple[Browser, str]]:
    page = Path(__file__).with_name("caller.html").read_text()

    async def serve(request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    application = web.Application()
    application.router.add_get("/", serve)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0).start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser, f"http://localhost:{runner.addresses[0][1]}/"
        await browser.close()
    await runner.cleanup()


async def until(check: Callable[[], Awaitable[Any]], seconds: float) -> Any:
    """What ``check`` returns once that is true; fails after ``seconds`` with what it was last."""
    end = time.monotonic() + seconds
    while True:
        found = await check()
        if found:
            return found
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s: {check.__qualname__}")
        await asyncio.sleep(0.05)


async def caller(pages: tuple[Browser, str], platform: Platform, room: uuid.UUID) -> Caller:
    browser, url = pages
    context = await browser.new_context(permissions=["microphone"])
    one = Caller(await context.new_page(), platform, room)
    await one.open(url)
    return one


async def sees_and_hears(viewer: Caller, other: Caller, seconds: float = 8) -> dict[str, Any]:
    async def check() -> dict[str, Any] | None:
        seen = await viewer.look(other)
        return seen if seen["frames"] > 10 and seen["audioEnergy"] > 0 else None

    try:
        found: dict[str, Any] = await until(check, seconds)
    except pytest.fail.Exception:
        seen = await viewer.look(other)
        said = await viewer.page.evaluate(
            "({e: me.errors, m: me.marks, s: Object.keys(me.streams)})"
        )
        pytest.fail(f"sees {seen | {'picture': ''}}, said {said}")
    return found


def is_aead(stats: dict[str, Any]) -> bool:
    return "AEAD_AES" in stats["srtp"] and ("GCM" in stats["dtls"] or "POLY1305" in stats["dtls"])


async def test_browsers_see_hear_and_chat_and_recover(
    pages: tuple[Browser, str], tmp_path: Path
) -> None:
    async with running_worker(tmp_path) as (platform, worker):
        await asyncio.wait_for(_flow(pages, platform, worker), 60)


async def _flow(pages: tuple[Browser, str], platform: Platform, worker: Worker) -> None:
    room = uuid.uuid4()
    clinician = await caller(pages, platform, room)
    patient = await caller(pages, platform, room)
    interpreter = await caller(pages, platform, room)

    # Two people see and hear each other.
    await clinician.join("#c00000")
    await platform.until_path(clinician.id, Link.PUBLISH, "connected")
    await patient.join("#00c000")
    first = await sees_and_hears(clinician, patient)
    await sees_and_hears(patient, clinician)
    assert is_aead(first), (first["srtp"], first["dtls"])
    sent = await clinician.page.evaluate("sending()")
    assert is_aead(sent), sent
    red, green = first["pixel"][0], first["pixel"][1]
    assert green > 120 > red, first["pixel"]

    async def picture_moves() -> bool:
        return bool((await clinician.look(patient))["picture"] != first["picture"])

    await until(picture_moves, 5)

    # Somebody joins later and sees both within a second of having been described to; a machine
    # that goes at half its speed for a while gets another.
    await interpreter.join("#0000c0")
    await sees_and_hears(interpreter, clinician)
    await sees_and_hears(interpreter, patient)
    marks = await interpreter.page.evaluate("me.marks")
    waits = [marks[f"picture {p.id}.camera"] - marks["described"] for p in (clinician, patient)]
    print(f"late joiner: picture {[round(w) for w in waits]} ms after the description")
    assert max(waits) <= 2_000
    await sees_and_hears(clinician, interpreter)

    # A screen share needs no negotiation.
    described = [m for m in platform.messages if isinstance(m, WorkerDescribe)]
    await clinician.page.evaluate("shareScreen()")

    async def sees_screen() -> bool:
        seen = await patient.look(clinician, "screen")
        return bool(seen["frames"] > 5)

    await until(sees_screen, 5)
    assert described == [m for m in platform.messages if isinstance(m, WorkerDescribe)]

    # Chat goes both ways and names its sender.
    await clinician.page.evaluate("me.channel.send(JSON.stringify({text: 'Wie geht es Ihnen?'}))")
    await patient.page.evaluate("me.channel.send(JSON.stringify({text: 'Gut.'}))")
    wanted = [{"from": str(clinician.id), "text": "Wie geht es Ihnen?"}]

    async def patient_read() -> bool:
        return bool(await patient.page.evaluate("me.chat") == wanted)

    async def clinician_read() -> bool:
        return bool(
            await clinician.page.evaluate("me.chat") == [{"from": str(patient.id), "text": "Gut."}]
        )

    await until(patient_read, 3)
    await until(clinician_read, 3)

    # A revoked person's media stops within two seconds.
    await platform.send(Revoke(room=room, participant=interpreter.id, epoch=interpreter.epoch))
    revoked_at = time.monotonic()
    before = (await clinician.look(interpreter))["packets"]

    async def stands_still() -> bool:
        nonlocal before
        earlier, before = before, (await clinician.look(interpreter))["packets"]
        await asyncio.sleep(0.3)
        return bool(earlier == before)

    await until(stands_still, 2)
    print(f"revoke: still after {time.monotonic() - revoked_at:.2f} s")

    numbers = await clinician.look(patient)
    del numbers["picture"]
    print("clinician sees", numbers, "sends", await clinician.page.evaluate("sending()"))

    # The worker dies and comes back; the next epoch brings the call back.
    await worker.kill()
    platform.linked.clear()
    await worker.start()
    killed_at = time.monotonic()
    await asyncio.wait_for(platform.linked.wait(), 10)
    for one in (clinician, patient):
        await one.page.evaluate("hangUp()")
    await clinician.join("#c00000")
    await patient.join("#00c000")
    await sees_and_hears(clinician, patient)
    await sees_and_hears(patient, clinician)
    print(f"recovered {time.monotonic() - killed_at:.2f} s after kill -9")
    for one in (clinician, patient, interpreter):
        assert await one.page.evaluate("me.errors") == []
    assert await worker.terminate() == 0
    for secret in ("candidate:", "v=0", "127.0.0.1", "eyJ", "Wie geht"):
        assert secret not in worker.log, worker.log
