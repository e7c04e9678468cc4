"""Seconds become segments; what cannot be sealed in time is dropped and told, never piled up."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from foundation.sealing import records
from foundation.sealing.records import (
    EVERY_STREAM,
    Codec,
    Frame,
    Gap,
    GapReason,
    Kind,
    Opening,
    Source,
    Why,
)
from foundation.sealing.runs import RunWriter
from foundation.sealing.segment import describe, open_segment
from media_worker.clock import Clock
from media_worker.plane import Packet
from media_worker.plane import Source as Microphone
from media_worker.recorder import segments as module
from media_worker.recorder.capture import Capture
from media_worker.recorder.clock import RunClock
from media_worker.recorder.segments import MAX_WAITING, Segments
from media_worker.recorder.spool import Spool
from tests.media_worker.harness import eventually

CAMERA = Source(4, uuid.uuid4(), Kind.CAMERA, Codec.VP8)


class Mill:
    """Segments with a spool and one thread, which a test may hold up."""

    def __init__(self, directory, limit=1 << 26):
        self.key = X25519PrivateKey.generate()
        self.spool = Spool(directory / "spool", limit)
        self.pool = ThreadPoolExecutor(1)
        platform = Clock()
        platform.tell(time.time())
        self.clock = RunClock(platform)
        self.kept = []
        self.dropped = 0
        self.full = 0
        self.segments = Segments(
            RunWriter(uuid.uuid4(), uuid.uuid4(), self.key.public_key().public_bytes_raw()),
            self.clock,
            self.spool,
            self.pool,
            kept=self.kept.append,
            dropped=self._drop,
            full=self._fill,
        )
        self.task = asyncio.create_task(self.segments.seal_queued())

    def _drop(self):
        self.dropped += 1

    def _fill(self):
        self.full += 1

    def frame(self, size=100, *, key=True):
        self.segments.add(Frame(4, key, 0, self.clock.now(), 0, 1, bytes(size)), CAMERA)

    async def close(self, why=Why.STOPPED):
        await self.segments.close(why)
        await self.task

    def opened(self):
        made = []
        for kept in self.kept:
            segment = self.spool.read(kept)
            last = describe(segment).last
            made.append(records.read(open_segment(segment, self.key), last=last))
        return made


@pytest_asyncio.fixture
async def mill(tmp_path):
    mill = Mill(tmp_path)
    yield mill
    mill.task.cancel()
    mill.pool.shutdown()
    mill.spool.close()


async def test_each_segment_names_its_streams_once_and_the_last_one_says_why(mill):
    for _ in range(3):
        mill.frame()
        mill.frame()
        mill.segments.cut()
    await mill.close(Why.HANDED_OVER)
    *made, last = mill.opened()
    for opened in made:
        assert [type(record).__name__ for record in opened] == [
            "Opening",
            "Source",
            "Frame",
            "Frame",
        ]
    assert [kept.sequence for kept in mill.kept] == [0, 1, 2, 3]
    assert last[-1].why is Why.HANDED_OVER
    assert isinstance(last[0], Opening)


async def test_a_second_of_very_much_becomes_several_segments_within_the_limits(mill):
    for _ in range(12):
        mill.frame(2_000_000)
        await asyncio.sleep(0.02)
    await mill.close()
    made = mill.opened()
    assert len(made) >= 6
    assert sum(isinstance(record, Frame) for opened in made for record in opened) == 12


async def test_very_many_records_or_streams_become_several_segments(mill):
    for _ in range(40_000):
        mill.frame(1)
    for number in range(100):
        stream = Source(number, uuid.uuid4(), Kind.MICROPHONE, Codec.OPUS)
        mill.segments.add(Frame(number, True, 0, 0, 0, 1, b"x"), stream)
    await mill.close()
    assert len(mill.opened()) == 3


async def test_when_sealing_falls_behind_seconds_are_dropped_and_the_next_segment_says_so(mill):
    hold = threading.Event()
    mill.pool.submit(hold.wait)
    for _ in range(MAX_WAITING + 5):
        mill.frame()
        mill.segments.cut()
        await asyncio.sleep(0.01)
    assert mill.dropped == 4  # one is at the thread's door already
    hold.set()
    await eventually(lambda: len(mill.kept) == MAX_WAITING + 1)
    mill.frame()
    await mill.close()
    gaps = [record for opened in mill.opened() for record in opened if isinstance(record, Gap)]
    (gap,) = gaps
    assert gap.stream == EVERY_STREAM
    assert gap.reason is GapReason.WORKER_BEHIND
    assert gap.to_us - gap.from_us > 30_000
    assert [kept.sequence for kept in mill.kept] == list(range(len(mill.kept)))


async def test_after_a_dropped_second_no_frame_is_written_that_needs_it(mill):
    hold = threading.Event()
    mill.pool.submit(hold.wait)
    await asyncio.sleep(0.01)
    while not mill.dropped:
        mill.frame(2_000_000, key=False)
        await asyncio.sleep(0)
    assert mill.segments._records == []
    hold.set()
    await mill.close()


async def test_a_full_spool_drops_what_waits_and_still_ends_the_run(tmp_path):
    mill = Mill(tmp_path, limit=100_000)
    for _ in range(3):
        mill.frame(60_000)
        mill.segments.cut()
    await mill.close()
    assert mill.full == 1
    made = mill.opened()
    assert [type(record).__name__ for record in made[-1]] == ["Opening", "Gap", "Closing"]
    assert made[-1][1].reason is GapReason.SPOOL_FULL
    assert mill.spool.kept_bytes <= 100_000
    mill.pool.shutdown()
    mill.spool.close()


async def test_a_disk_that_refuses_ends_the_run(mill, tmp_path):
    for path in (tmp_path / "spool").glob("*"):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "spool").rmdir()
    mill.frame()
    mill.segments.cut()
    with pytest.raises(OSError, match="No such file"):
        await mill.task
    assert mill.spool.kept_bytes == 0


async def test_a_capture_that_was_ended_takes_nothing_even_of_a_packet_on_its_way(mill):
    microphone = Microphone("audio")
    stream = Source(0, uuid.uuid4(), Kind.MICROPHONE, Codec.OPUS)
    capture = Capture(stream, microphone, mill.clock, mill.segments)
    packet = Packet(1, 7, 9, False, b"opus", time.monotonic())
    microphone.push(packet)
    assert mill.segments._records == []
    capture.begin()
    microphone.push(packet)
    assert len(mill.segments._records) == 2
    capture.end()
    assert microphone.sinks == ()
    capture.accept(Packet(1, 8, 9, False, b"opus", time.monotonic()))
    assert len(mill.segments._records) == 2


def test_a_segment_is_about_one_to_two_seconds():
    assert 1.0 <= module.SEGMENT_SECONDS <= 2.0
