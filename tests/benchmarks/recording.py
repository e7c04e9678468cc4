"""What recording costs a server while people talk, for each of them and each second.

Two people in one room, and eight in four rooms of two, send what was encoded beforehand
(``prepared``) from this process, watch each other, and are recorded: by our media worker (sealed
segments, shipped to a door that only keeps them), by Janus' VideoRoom (its own files, in clear) and
by aiortc's MediaRecorder (which decodes and encodes anew, and forwards to nobody; where it uses all
of the machine, it is late with that, and its figure is what the machine has). Only the recording
process is counted; ``worker.cpu_ms.forward`` is ours without a recording.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiortc.rtcrtpreceiver
from aiortc import RTCSessionDescription

from tests.benchmarks import janus
from tests.benchmarks.figures import Figure
from tests.benchmarks.prepared import Prepared, Replay, prepared
from tests.benchmarks.process import cpu_ms
from tests.media_worker.harness import ROOT, Worker, eventually, running_worker
from tests.media_worker.people import Person, connection, on_loopback
from tests.media_worker.recorder.recording import Ordered

#: Before anything is counted: connections settle, estimates of bandwidth rise.
_SETTLE_SECONDS = 4
_SECONDS = 20
_IN_A_ROOM = 2


class _Unseen:
    """Instead of a decoder: what people receive costs this process as little as possible."""

    def decode(self, encoded: object) -> list[Any]:
        return []


class _Sender(Person):
    """One of our people, who sends what was prepared."""

    prepared: Prepared

    async def offer(self) -> str:
        pc = self.publish = connection()
        pc.addTransceiver(Replay("audio", self.prepared), direction="sendonly")
        pc.addTransceiver(Replay("video", self.prepared), direction="sendonly")
        pc.addTransceiver("video", direction="sendonly")
        self.channel = pc.createDataChannel("chat", ordered=True)
        await pc.setLocalDescription(await pc.createOffer())
        return pc.localDescription.sdp

    async def _count(self, mid: str, track: Any) -> None:
        """Nobody looks."""


def only_send() -> None:
    """People of this process decode nothing."""
    aiortc.rtcrtpreceiver.get_decoder = lambda codec: _Unseen()
    logging.getLogger("aiortc").setLevel(logging.ERROR)


def measure(folder: Path) -> list[Figure]:
    on_loopback()
    only_send()
    media = prepared(folder / "prepared")
    figures = []
    for people in (2, 8):
        for name in ("ours", "stock"):
            (folder / f"{name}-{people}").mkdir()
        ours, forwarding = asyncio.run(_ours(folder / f"ours-{people}", media, people))
        stock = asyncio.run(_stock(folder / f"stock-{people}", media, people))
        name = f"worker.cpu_ms.record.1to1.p{people}"
        figures.append(Figure(f"{name}.mediarecorder", ours, "ms", stock))
        if janus.is_installed():
            beside = asyncio.run(_janus(folder / f"janus-{people}", media, people))
            figures.append(Figure(f"{name}.janus", ours, "ms", beside))
        figures.append(Figure(f"worker.cpu_ms.forward.1to1.p{people}", forwarding, "ms"))
    return figures


async def _cost(pid: int, people: int) -> float:
    """Milliseconds of processor for each person and second."""
    await asyncio.sleep(_SETTLE_SECONDS)
    loop = asyncio.get_running_loop()
    began, before = loop.time(), cpu_ms(pid)
    await asyncio.sleep(_SECONDS)
    return (cpu_ms(pid) - before) / (loop.time() - began) / people


# ---------------------------------------------------------------- ours


async def _ours(folder: Path, media: Prepared, people: int) -> tuple[float, float]:
    """Recording, and without."""
    _Sender.prepared = media
    async with running_worker(folder, CONSILIUM_WORKER_ADDRESSES="127.0.0.1") as (platform, worker):
        rooms = []
        for _ in range(people // _IN_A_ROOM):
            room = uuid.uuid4()
            rooms.append([_Sender(platform, room) for _ in range(_IN_A_ROOM)])
        callers = [person for room in rooms for person in room]
        for person in callers:
            await person.join(seconds=300)
        for person in callers:
            await eventually(lambda p=person: _is_connected(p), 20)
        forwarding = await _cost(_pid(worker), people)
        ordered = [Ordered(platform, room[0].room) for room in rooms]
        for order, room in zip(ordered, rooms, strict=True):
            await order.record(*room)
            await order.becomes("recording")
        recording = await _cost(_pid(worker), people)
        for order, room in zip(ordered, rooms, strict=True):
            await order.stop()
            await order.is_over()
            _is_complete(order, room)
        platform.listeners.clear()
        await _leave(callers)
    return recording, forwarding


def _is_connected(person: Person) -> bool:
    pcs = (person.publish, person.subscribe)
    return all(pc is not None and pc.connectionState == "connected" for pc in pcs)


def _is_complete(order: Ordered, room: list[_Sender]) -> None:
    """What was measured did record."""
    run = order.the_run()
    for person in room:
        frames = [len(run.frames(person, kind)) for kind in (1, 2)]
        assert frames[0] > _SECONDS * 45, frames
        assert frames[1] > _SECONDS * 22, frames


def _pid(worker: Worker) -> int:
    assert worker.process is not None
    return worker.process.pid


async def _leave(people: list[Any]) -> None:
    for person in people:
        await person.leave()


# ---------------------------------------------------------------- beside


async def _janus(folder: Path, media: Prepared, people: int) -> float:
    async with janus.running(folder) as beside, _in_janus(beside, media, people):
        return await _cost(beside.process.pid, people)


@contextlib.asynccontextmanager
async def _in_janus(beside: janus.Janus, media: Prepared, people: int) -> AsyncIterator[None]:
    guests = []
    for _ in range(people // _IN_A_ROOM):
        room = await janus.make_room(beside)
        two = [janus.Guest(beside, media) for _ in range(_IN_A_ROOM)]
        for guest in two:
            await guest.publish(room)
        await two[0].watch(room, two[1])
        await two[1].watch(room, two[0])
        guests += two
    for guest in guests:
        await guest.connected()
    yield
    await _leave(guests)


async def janus_recorded(folder: Path, media: Prepared, people: int, seconds: float) -> Path:
    """A folder with Janus' own files of a call of so long."""
    async with janus.running(folder) as beside, _in_janus(beside, media, people):
        await asyncio.sleep(seconds)
    return folder / "recordings"


async def _stock(folder: Path, media: Prepared, people: int) -> float:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.stock_recorder", str(folder)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    connections = []
    for _ in range(people):
        pc = connection()
        connections.append(pc)
        pc.addTransceiver(Replay("audio", media), direction="sendonly")
        pc.addTransceiver(Replay("video", media), direction="sendonly")
        await pc.setLocalDescription(await pc.createOffer())
        process.stdin.write(json.dumps({"offer": pc.localDescription.sdp}).encode() + b"\n")
        answer = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))["answer"]
        await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    for pc in connections:
        await eventually(lambda pc=pc: pc.connectionState == "connected", 20)
    cost = await _cost(process.pid, people)
    for pc in connections:
        await pc.close()
    process.kill()
    await process.wait()
    return cost
