"""People on stock aiortc: the browser's side of a governed call without a browser.

Stock means unpatched: these processes never call ``media_worker.stock.install``. The only change is
that aioice may use 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import fractions
import json
import re
import uuid
from typing import Any

import aioice.ice
import av
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

from foundation.wire.browser import Link
from foundation.wire.message import Message
from foundation.wire.worker import WorkerDescribe
from tests.media_worker.harness import Platform, eventually


def on_loopback() -> None:
    """Lets this process's connections use 127.0.0.1, which aioice skips."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class Camera(MediaStreamTrack):
    """A small picture of one brightness that pulses, 20 times a second."""

    kind = "video"

    def __init__(self, brightness: int) -> None:
        super().__init__()
        self._brightness = brightness
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.05)
        self._count += 1
        frame = av.VideoFrame(128, 96, "yuv420p")
        bar = 8 * (self._count % 16)
        top = bytes([235]) * bar + bytes([self._brightness]) * (128 - bar)
        frame.planes[0].update(top * 16 + bytes([self._brightness]) * (128 * 80))
        for plane in frame.planes[1:]:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts = self._count * 4_500
        frame.time_base = fractions.Fraction(1, 90_000)
        return frame


def connection() -> RTCPeerConnection:
    return RTCPeerConnection(
        RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    )


class Person:
    """Publishes a camera and a microphone, watches everyone, answers whatever is offered."""

    def __init__(
        self,
        platform: Platform,
        room: uuid.UUID,
        brightness: int = 128,
        who: uuid.UUID | None = None,
    ) -> None:
        self.platform = platform
        self.room = room
        self.id = who or uuid.uuid4()
        self.epoch = 0
        self.brightness = brightness
        self.publish: RTCPeerConnection | None = None
        self.subscribe: RTCPeerConnection | None = None
        self.channel: RTCDataChannel | None = None
        self.heard: list[dict[str, Any]] = []
        self.frames: dict[str, int] = {}
        self.last: dict[str, av.VideoFrame] = {}
        self.streams: dict[str, str] = {}
        self.offers: list[str] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turn = asyncio.Lock()
        platform.listeners.append(self._from_worker)

    async def join(self, *, publish: bool = True, seconds: float = 60, **claims: Any) -> None:
        """Takes the next epoch, and publishes unless told not to."""
        self.epoch += 1
        await self.platform.lease(self.room, self.id, self.epoch, seconds, **claims)
        if publish:
            offer = await self.offer()
            await self.send_offer(offer)

    async def offer(self) -> str:
        pc = self.publish = connection()
        pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        pc.addTransceiver(Camera(self.brightness), direction="sendonly")
        pc.addTransceiver("video", direction="sendonly")
        self.channel = pc.createDataChannel("chat", ordered=True)
        self.channel.on("message", lambda text: self.heard.append(json.loads(text)))
        await pc.setLocalDescription(await pc.createOffer())
        return pc.localDescription.sdp

    async def send_offer(self, offer: str) -> None:
        await self.platform.describe(
            self.room, self.id, Link.PUBLISH, "offer", offer, epoch=self.epoch
        )

    async def connected(self, link: Link = Link.PUBLISH) -> None:
        await self.platform.until_path(self.id, link, "connected", epoch=self.epoch)

    async def sees(self, other: Person, more: int = 3, seconds: float = 5) -> av.VideoFrame:
        """Waits for ``more`` further pictures of ``other``'s camera; the last one."""
        return await self._gets(f"{other.id}.camera/video", more, seconds)

    async def hears(self, other: Person, more: int = 10, seconds: float = 5) -> None:
        await self._gets(f"{other.id}.camera/audio", more, seconds)

    async def leave(self) -> None:
        for pc in (self.publish, self.subscribe):
            if pc is not None:
                await pc.close()
        self.publish = self.subscribe = None
        for task in self._tasks:
            task.cancel()
        self.streams.clear()
        self.frames.clear()

    async def gone(self) -> None:
        """Leaves, and stops listening to the platform."""
        await self.leave()
        self.platform.listeners.remove(self._from_worker)

    # ---------------------------------------------------------------- inside

    async def _gets(self, what: str, more: int, seconds: float) -> Any:
        wanted = self.frames.get(what, 0) + more
        await eventually(lambda: self.frames.get(what, 0) >= wanted, seconds)
        return self.last.get(what)

    def _from_worker(self, message: Message) -> None:
        if not isinstance(message, WorkerDescribe):
            return
        if (message.participant, message.epoch) == (self.id, self.epoch):
            self._spawn(self._described(message))

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _described(self, message: WorkerDescribe) -> None:
        async with self._turn:
            if message.link is Link.PUBLISH:
                assert self.publish is not None
                await self.publish.setRemoteDescription(
                    RTCSessionDescription(message.description.sdp, "answer")
                )
                return
            self.offers.append(message.description.sdp)
            if self.subscribe is None:
                self.subscribe = connection()
            pc = self.subscribe
            await pc.setRemoteDescription(RTCSessionDescription(message.description.sdp, "offer"))
            await pc.setLocalDescription(await pc.createAnswer())
            self.streams = streams_of(message.description.sdp)
            for transceiver in pc.getTransceivers():
                if transceiver.mid is not None and not hasattr(transceiver, "counted"):
                    transceiver.counted = True
                    self._spawn(self._count(transceiver.mid, transceiver.receiver.track))
            await self.platform.describe(
                self.room,
                self.id,
                Link.SUBSCRIBE,
                "answer",
                pc.localDescription.sdp,
                epoch=self.epoch,
            )

    async def _count(self, mid: str, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                what = f"{self.streams.get(mid)}/{track.kind}"
                self.frames[what] = self.frames.get(what, 0) + 1
                self.last[what] = frame
        except MediaStreamError:
            pass


async def in_a_call(first: Person, *others: Person) -> None:
    """Everyone joins, one after another; returns when the first sees all the others."""
    for person in (first, *others):
        await person.join()
    for other in others:
        await first.sees(other)


def candidates_of(platform: Platform) -> set[tuple[str, int]]:
    """Every address and port that the worker has offered to anybody."""
    texts = [m.description.sdp for m in platform.messages if isinstance(m, WorkerDescribe)]
    found = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", "".join(texts))
    return {(address, int(port)) for address, port in found}


def streams_of(sdp: str) -> dict[str, str]:
    """mid → stream id, of the m-lines of an offer that send something."""
    found: dict[str, str] = {}
    for section in sdp.split("\r\nm=")[1:]:
        lines = section.split("\r\n")
        mid = next(line[6:] for line in lines if line.startswith("a=mid:"))
        stream = next(line[7:].split()[0] for line in lines if line.startswith("a=msid:"))
        if "a=sendonly" in lines:
            found[mid] = stream
    return found


def brightness(frame: av.VideoFrame) -> int:
    """Of the middle of a picture, 0 to 255."""
    plane = frame.planes[0]
    row = bytes(plane)[60 * plane.line_size :][20:110]
    return sum(row) // len(row)
