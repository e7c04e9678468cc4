"""A recording outlives its worker, its platform and its disk's patience, and stays unreadable."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from foundation.sealing.records import EVERY_STREAM, Codec, Frame, Kind, Opening, Source
from foundation.sealing.runs import RunWriter
from media_worker.recorder.spool import Kept, Spool
from media_worker.settings import MIN_SPOOL_BYTES
from tests.media_worker.harness import Platform, Worker, eventually, running_worker
from tests.media_worker.people import Person, in_a_call, on_loopback
from tests.media_worker.recorder.recording import CAMERA, MICROPHONE, Ordered, shows, sounds

Place = tuple[Platform, Worker, Person, Person, Ordered]


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A worker of its own, two people in a call, and a recording to be ordered."""
    on_loopback()
    async with running_worker(tmp_path, CONSILIUM_WORKER_SPOOL_BYTES=str(MIN_SPOOL_BYTES)) as (
        platform,
        worker,
    ):
        one, other = Person(platform, uuid.uuid4(), 60), Person(platform, uuid.uuid4(), 200)
        other.room = one.room
        await in_a_call(one, other)
        yield platform, worker, one, other, Ordered(platform, one.room)
        await one.gone()
        await other.gone()


def spooled(worker: Worker) -> list[Path]:
    return sorted((worker.directory / "spool").glob("*.segment"))


def put_aside(worker: Worker) -> list[Path]:
    return list((worker.directory / "spool" / "aside").iterdir())


async def test_what_a_killed_worker_had_spooled_is_shipped_and_two_seconds_at_most_are_lost(
    place: Place,
) -> None:
    platform, worker, one, other, ordered = place
    await ordered.record(one, other)
    await ordered.goes_on(3)
    platform.segments.always = 503
    acknowledged = ordered.segments()
    await eventually(lambda: len(spooled(worker)) >= 3)
    await worker.kill()
    killed_at = time.time()
    left = len(spooled(worker))
    assert left >= 3
    platform.segments.always = None
    platform.linked.clear()
    await worker.start()
    await asyncio.wait_for(platform.linked.wait(), 15)
    await eventually(lambda: not spooled(worker), 15)
    assert ordered.segments() == acknowledged + left
    assert put_aside(worker) == []
    run = ordered.the_run()
    assert not run.is_finished
    opening = run.all("opening")[-1]
    recorded_until = (opening["wall_us"] + opening["covers_us"]) / 1e6
    assert killed_at - recorded_until < 2.0
    for person in (one, other):
        assert shows(run.frames(person, CAMERA), person)
        await person.leave()

    await in_a_call(one, other)
    await ordered.record(one, other)
    await ordered.becomes("recording")
    await ordered.goes_on(3)
    await ordered.stop()
    await ordered.is_over()
    first, second = ordered.opened()
    assert first.id == run.id
    assert (first.is_finished, second.is_finished) == (False, True)
    assert shows(second.frames(other, CAMERA), other)


async def test_a_worker_that_drains_ends_its_runs_and_leaves_nothing_behind(place: Place) -> None:
    platform, worker, one, other, ordered = place
    await ordered.record(one, other)
    await ordered.goes_on(2)
    assert await worker.terminate() == 0
    await eventually(lambda: ordered.states[-1] == ("stopped", "draining"))
    assert spooled(worker) == []
    run = ordered.the_run()
    assert run.is_finished
    assert run.all("closing")[0]["why"] == 5
    del platform


async def test_a_worker_that_drains_without_its_platform_keeps_the_end_for_the_next(
    place: Place,
) -> None:
    platform, worker, one, other, ordered = place
    await ordered.record(one, other)
    await ordered.goes_on(2)
    platform.segments.always = 503
    assert await worker.terminate() == 0
    assert spooled(worker)
    platform.segments.always = None
    platform.linked.clear()
    await worker.start()
    await ordered.is_over()
    assert ordered.the_run().all("closing")[0]["why"] == 5


async def test_nothing_of_what_was_said_or_shown_is_in_the_spool(place: Place) -> None:
    platform, worker, one, other, ordered = place
    platform.segments.always = 503
    await ordered.record(one, other)
    await eventually(lambda: len(spooled(worker)) >= 5, 15)
    on_disk = b"".join(path.read_bytes() for path in spooled(worker))
    platform.segments.always = None
    await ordered.stop()
    await ordered.is_over()
    run = ordered.the_run()
    frames = [bytes.fromhex(frame["payload"]) for frame in run.all("frame")]
    windows = {
        frame[at : at + 16]
        for frame in frames
        for at in range(0, len(frame) - 15, 16)
        if len(set(frame[at : at + 16])) > 4
    }
    assert len(windows) > 80
    assert sounds(run.frames(one, MICROPHONE)) > 48_000

    def found(data: bytes) -> int:
        return sum(data[at : at + 16] in windows for at in range(len(data) - 15))

    assert found(b"".join(frames)) >= len(windows), "the search finds what is there"
    assert found(on_disk) == 0
    assert one.id.bytes not in on_disk
    assert str(one.id).encode() not in on_disk


async def test_a_full_spool_stops_the_recording_visibly_and_the_call_goes_on(place: Place) -> None:
    platform, worker, one, other, ordered = place
    assert await worker.terminate() == 0
    for person in (one, other):
        await person.leave()
    fill(worker.directory / "spool", MIN_SPOOL_BYTES * 15 // 16 - 20_000)
    platform.segments.always = 503
    platform.linked.clear()
    await worker.start()
    await asyncio.wait_for(platform.linked.wait(), 15)
    await in_a_call(one, other)
    await ordered.record(one, other)
    await ordered.becomes("paused", "spool_full")
    assert sum(path.stat().st_size for path in spooled(worker)) <= MIN_SPOOL_BYTES
    await one.sees(other, more=30)
    platform.segments.always = None
    await ordered.becomes("recording")
    await ordered.goes_on(3)
    await ordered.stop()
    await ordered.is_over()
    run = ordered.the_run()
    gaps = run.all("gap", reason=5)
    assert {gap["stream"] for gap in gaps} == {EVERY_STREAM}
    begins, ends = min(g["from_us"] for g in gaps), max(g["to_us"] for g in gaps)
    assert ends - begins > 1_000_000
    frames = run.frames(other, CAMERA)
    assert not [frame for frame in frames if begins < frame["arrival_us"] < ends]
    after = [frame for frame in frames if frame["arrival_us"] >= ends]
    assert after[0]["flags"] == 1
    assert shows(after, other)


def fill(directory: Path, size: int) -> None:
    """Puts segments of another run into a spool, ``size`` bytes of them."""
    spool = Spool(directory, 1 << 30)
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    run = RunWriter(uuid.uuid4(), uuid.uuid4(), public)
    source = Source(0, uuid.uuid4(), Kind.CAMERA, Codec.VP8)
    while spool.kept_bytes < size:
        payload = bytes(min(1 << 20, max(1, size - spool.kept_bytes - 300)))
        kept = Kept(run.recording, run.run, run.sequence)
        segment = run.seal([Opening(0, 0, 0), source, Frame(0, True, 0, 0, 0, 1, payload)])
        assert spool.reserve(len(segment))
        spool.put(kept, segment, len(segment))
    spool.close()


async def test_junk_in_the_spool_keeps_no_worker_from_its_work(place: Place) -> None:
    platform, worker, one, other, ordered = place
    await worker.kill()
    spool = worker.directory / "spool"
    name = Kept(uuid.uuid4(), uuid.uuid4(), 0).name
    (spool / name).write_bytes(b"CSLM-SEG" + bytes(500))
    (spool / "core").write_bytes(b"\x7fELF")
    (spool / f"{name}.draft").write_bytes(b"half")
    for person in (one, other):
        await person.leave()
    platform.linked.clear()
    await worker.start()
    await asyncio.wait_for(platform.linked.wait(), 15)
    await eventually(lambda: len(put_aside(worker)) == 2)
    assert not list(spool.glob("*.draft"))
    await in_a_call(one, other)
    await ordered.record(one, other)
    await ordered.goes_on(2)
