"""From records to sealed segments in the spool, about one a second, in order.

Records collect in a draft. A cut makes a batch of it, which waits in a short queue for a thread
that seals it and puts it into the spool. Nothing waits without a bound: when the queue is full or
the spool has no room, the batch is dropped, before it got a number in the run, and the next one
that is sealed says from when to when frames are missing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from foundation.fault_points import reached
from foundation.sealing.records import (
    COVERS_MOST_US,
    EVERY_STREAM,
    SOURCES_MOST,
    Closing,
    Frame,
    Gap,
    GapReason,
    Opening,
    Record,
    Source,
    Why,
)
from foundation.sealing.runs import RunWriter
from media_worker.recorder.clock import RunClock
from media_worker.recorder.spool import Kept, Spool

LOG = logging.getLogger("media_worker.recorder")

#: A segment is cut after this time. What a killed worker loses is one segment and what waits.
SEGMENT_SECONDS = 1.0

#: Or when so much has collected; with one more frame it is below the format's limits.
CUT_BYTES = 4_194_304
CUT_RECORDS = 32_768

#: Batches that may wait for the thread: seconds in which a disk does not answer.
MAX_WAITING = 4

#: A record's head and fixed fields, header and seal of a segment: more than they have.
_RECORD_BYTES = 40
_SEGMENT_BYTES = 512


class SpoolFull(RuntimeError):
    """Not even the end of the run finds room."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of one segment to be."""

    records: list[Record]
    since_us: int
    until_us: int
    size: int
    has_frames: bool
    is_last: bool


class Segments:
    """``notes`` of all captures of one run.

    ``kept`` is told of each segment that lies in the spool; ``dropped`` that frames which had been
    taken are lost; ``full`` that the spool has no room.
    """

    def __init__(
        self,
        run: RunWriter,
        clock: RunClock,
        spool: Spool,
        pool: Executor,
        *,
        kept: Callable[[Kept], None],
        dropped: Callable[[], None],
        full: Callable[[], None],
    ) -> None:
        self._run = run
        self._clock = clock
        self._spool = spool
        self._pool = pool
        self._kept = kept
        self._dropped = dropped
        self._full = full
        self._queue: asyncio.Queue[Batch] = asyncio.Queue(MAX_WAITING)
        self._holes: dict[GapReason, tuple[int, int]] = {}
        self._begin(clock.now())

    # ---------------------------------------------------------------- drafting

    def add(self, record: Record, stream: Source | None = None) -> None:
        """Puts ``record`` into the draft, and before it what its ``stream`` is, once."""
        is_new = stream is not None and stream.stream not in self._streams
        size = _RECORD_BYTES + (len(record.payload) if isinstance(record, Frame) else 0)
        if (
            self._size + size > CUT_BYTES
            or len(self._records) >= CUT_RECORDS
            or (is_new and len(self._streams) >= SOURCES_MOST)
        ):
            is_kept = self.cut()
            if not is_kept and isinstance(record, Frame) and not record.key:
                return  # what it needs has just been dropped
            is_new = stream is not None
        if is_new and stream is not None:
            self._streams.add(stream.stream)
            self._records.append(stream)
            self._size += _RECORD_BYTES
        self._records.append(record)
        self._size += size
        self._has_frames |= isinstance(record, Frame)

    def cut(self, *, even_if_empty: bool = True) -> bool:
        """Ends the draft and begins another; False if what was in it had to be dropped."""
        now = self._clock.now()
        is_kept = True
        if self._records or even_if_empty:
            try:
                self._queue.put_nowait(self._batch(now))
            except asyncio.QueueFull:
                LOG.warning("a second of a recording was dropped: sealing fell behind")
                self._miss(self._since_us, now, GapReason.WORKER_BEHIND)
                self._dropped()
                is_kept = False
        self._begin(now)
        return is_kept

    async def close(self, why: Why) -> None:
        """Queues the last segment of the run, and waits for its place."""
        now = self._clock.now()
        self._records.append(Closing(why))
        batch = self._batch(now, is_last=True)
        self._begin(now)
        await self._queue.put(batch)

    def _begin(self, now: int) -> None:
        self._since_us = now
        self._records: list[Record] = []
        self._streams: set[int] = set()
        self._size = 0
        self._has_frames = False

    def _batch(self, now: int, *, is_last: bool = False) -> Batch:
        covers = min(COVERS_MOST_US, now - self._since_us)
        opening = Opening(self._since_us, self._clock.wall(self._since_us), covers)
        return Batch(
            [opening, *self._records],
            self._since_us,
            now,
            self._size,
            has_frames=self._has_frames,
            is_last=is_last,
        )

    # ---------------------------------------------------------------- sealing

    async def seal_queued(self) -> None:
        """Seals what is queued, in order, until the last segment is in the spool.

        Raises whatever sealing or the disk raise: then this run has ended.
        """
        loop = asyncio.get_running_loop()
        while True:
            batch = await self._queue.get()
            records, size = batch.records, batch.size + _SEGMENT_BYTES
            if not self._spool.reserve(size, has_frames=batch.has_frames):
                self._miss(batch.since_us, batch.until_us, GapReason.SPOOL_FULL)
                self._miss_queued()
                self._full()
                if not batch.is_last:
                    continue
                records, size = [records[0], records[-1]], _SEGMENT_BYTES
                if not self._spool.reserve(size, has_frames=False):
                    raise SpoolFull
            holes, self._holes = self._holes, {}
            gaps = [Gap(EVERY_STREAM, *hole, reason) for reason, hole in holes.items()]
            records = [records[0], *gaps, *records[1:]]
            kept = await loop.run_in_executor(self._pool, self._seal, records, size, batch.is_last)
            self._kept(kept)
            if batch.is_last:
                return

    def _seal(self, records: list[Record], size: int, is_last: bool) -> Kept:
        """In a thread of the pool."""
        kept = Kept(self._run.recording, self._run.run, self._run.sequence)
        try:
            segment = self._run.seal(records, last=is_last)
        except BaseException:
            self._spool.release(size)
            raise
        reached("segments.sealed")
        self._spool.put(kept, segment, size)
        reached("segments.spooled")
        return kept

    def _miss(self, since_us: int, until_us: int, reason: GapReason) -> None:
        before = self._holes.get(reason, (since_us, until_us))
        self._holes[reason] = (min(before[0], since_us), max(before[1], until_us))

    def _miss_queued(self) -> None:
        """Drops what waits: its frames need those that have just been dropped."""
        last: Batch | None = None
        while not self._queue.empty():
            batch = self._queue.get_nowait()
            if batch.is_last:
                last = batch
            else:
                self._miss(batch.since_us, batch.until_us, GapReason.SPOOL_FULL)
        if last is not None:
            self._queue.put_nowait(last)
