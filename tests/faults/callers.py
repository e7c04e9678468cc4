"""People in a governed call of a whole installation, on stock aiortc and without a page.

Each speaks to the platform over a socket of their own, as a page does, publishes a small camera and
a microphone, answers what is offered, and follows every new attempt that the platform asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from websockets.exceptions import InvalidHandshake

from tests.flows.http_door import Browser
from tests.flows.page_socket import Socket, _loop, dial, on_the_loop
from tests.media_worker.people import Camera, connection
from tests.servers.processes import wait_for

VERSION = 2
#: As pages do, and a little oftener.
PING_SECONDS = 2.0


class Caller:
    """One person in one call. ``browser`` holds the cookies that say who."""

    def __init__(self, browser: Browser, meeting: str, brightness: int) -> None:
        self.browser = browser
        self.meeting = meeting
        self.id = ""
        self.epoch = 0
        #: What was said to this person in the chat.
        self.heard: list[str] = []
        self._brightness = brightness
        self._pc: RTCPeerConnection | None = None
        self._others: RTCPeerConnection | None = None
        self._line: Socket | None = None
        self._work: Any = None
        self._closing: set[asyncio.Future[None]] = set()

    # ------------------------------------------------------------ the socket
    @property
    def line(self) -> Socket:
        assert self._line is not None
        return self._line

    def dial(self, purpose: str = "join", *, keep_media: bool = False) -> Socket:
        """A socket that was welcomed; the earlier one is let go."""
        answer = self.browser.ticket(self.meeting, purpose)
        assert answer.status == 200, answer.text
        self._line = Socket(dial(self.browser))
        self._hello(answer.json["ticket"], keep_media=keep_media)
        return self._line

    def come_in(self, ticket: str) -> None:
        """One who waited was let in."""
        self._hello(ticket)

    def _hello(self, ticket: str, **more: Any) -> None:
        self.line.say("hello", version=VERSION, ticket=ticket, **more)
        self.id = self.line.hears("welcome")["you"]
        if self._work is None:
            self._work = asyncio.run_coroutine_threadsafe(self._keep(), _loop)

    def dial_again(self, seconds: float = 20) -> None:
        """The web was away for a moment, and the media were not."""

        def tried() -> bool:
            with contextlib.suppress(OSError, InvalidHandshake, AssertionError, TimeoutError):
                self.dial(keep_media=True)
                return True
            return False

        wait_for(tried, "a socket", seconds)

    # ------------------------------------------------------------ the call
    @property
    def is_connected(self) -> bool:
        """By the newest attempt that the platform has asked for."""
        return self._pc is not None and self._pc.connectionState == "connected"

    def connected(self, after: int = 0, seconds: float = 15) -> None:
        """Waits for media that flow, of an attempt later than ``after``."""
        wait_for(lambda: self.epoch > after and self.is_connected, "media", seconds)

    def agree(self, text: str | None = None) -> str:
        """To ``text``, or what the screen asks; the text's id."""

        def asked() -> str | None:
            states = [m for m in self.line.heard if m["type"] == "state" and m["recording"]]
            question = states[-1]["recording"]["question"] if states else None
            return question["text"] if question else None

        text = text or wait_for(asked, "the question", 5)
        self.line.say("give_consent", text=text)
        return text

    def leave(self) -> None:
        if self._work is not None:
            self._work.cancel()
        for pc in (self._pc, self._others):
            if pc is not None:
                with contextlib.suppress(Exception):
                    on_the_loop(pc.close())
        if self._line is not None:
            with contextlib.suppress(Exception):
                self._line.close()

    # ------------------------------------------------------------ inside
    async def _keep(self) -> None:
        """Pings, and follows the platform's attempts."""
        pinged = 0.0
        while True:
            await asyncio.sleep(0.02)
            line = self.line
            if line.close_code is not None:
                continue
            if time.monotonic() - pinged > PING_SECONDS:
                pinged = time.monotonic()
                with contextlib.suppress(Exception):
                    await line._line.send('{"type":"ping","n":1}')
            with line._news:
                news = [m for m in line.heard if m["type"] in {"media", "described"}]
                line.heard = [m for m in line.heard if m not in news]
            for message in news:
                await self._follow(line, message)

    async def _follow(self, line: Socket, message: dict[str, Any]) -> None:
        if message["type"] == "media":
            if message["ready"] and message["epoch"] > self.epoch:
                await self._offer(line, message["epoch"])
            return
        said = RTCSessionDescription(message["description"]["sdp"], message["description"]["type"])
        if message["epoch"] != self.epoch or self._pc is None:
            return
        if message["link"] == "publish":
            await self._pc.setRemoteDescription(said)
            return
        if self._others is None:
            self._others = connection()
        pc = self._others
        await pc.setRemoteDescription(said)
        await pc.setLocalDescription(await pc.createAnswer())
        await self._describe(line, "subscribe", pc)

    async def _offer(self, line: Socket, epoch: int) -> None:
        for earlier in (self._pc, self._others):
            if earlier is not None:
                closing = asyncio.ensure_future(earlier.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
        pc = self._pc = connection()
        self._others, self.epoch = None, epoch
        pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        pc.addTransceiver(Camera(self._brightness), direction="sendonly")
        pc.addTransceiver("video", direction="sendonly")
        chat = pc.createDataChannel("chat", ordered=True)
        chat.on("message", self.heard.append)
        await pc.setLocalDescription(await pc.createOffer())
        await self._describe(line, "publish", pc)

    async def _describe(self, line: Socket, link: str, pc: RTCPeerConnection) -> None:
        said = {"type": pc.localDescription.type, "sdp": pc.localDescription.sdp}
        message = {"type": "describe", "link": link, "epoch": self.epoch, "description": said}
        await line._line.send(json.dumps(message))
