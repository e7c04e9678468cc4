"""Takes sealed segments to the platform: the segments of a run in order, runs side by side.

A segment leaves the spool when the platform says that it is durable and on the roll. Until then it
is tried again, for ever; the spool's limit is what bounds it. Prose: docs/protocol.md,
"Recordings".
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from foundation.fault_points import reached
from foundation.sealing.errors import Refused
from foundation.sealing.segment import describe
from foundation.wire.worker import SEGMENT_AUDIENCE, RecordingReason
from media_worker.clock import Clock, TimeUnknown
from media_worker.identity import Identity
from media_worker.recorder.door import Door
from media_worker.recorder.spool import Kept, Spool

LOG = logging.getLogger("media_worker.recorder")

#: An answer comes after the platform's storage and database are durable.
ANSWER_SECONDS = 15.0

#: Between tries, doubling, each shortened at random so that workers do not knock together.
FIRST_RETRY_SECONDS = 0.2
LAST_RETRY_SECONDS = 10.0

#: Requests at one moment; recordings beyond it wait for their turn.
MAX_AT_ONCE = 8

#: A connection that was not needed for so long is closed.
IDLE_SECONDS = 10.0

TAKEN: Final = frozenset({200, 201})
CONFLICT: Final = 409
OVER: Final = frozenset({404, 410})
REFUSED: Final = frozenset({401, 403})

Run = tuple[UUID, UUID]


class Shipping:
    """``ended`` is told of a run that the platform takes no more of, and why."""

    def __init__(
        self,
        https_url: str,
        tls: ssl.SSLContext,
        identity: Identity,
        clock: Clock,
        spool: Spool,
        ended: Callable[[UUID, UUID, RecordingReason], None],
    ) -> None:
        parts = urlsplit(https_url)
        self._address = (parts.hostname or "", parts.port or 443)
        self._tls = tls
        self._identity = identity
        self._clock = clock
        self._spool = spool
        self._ended = ended
        self._lanes: dict[Run, Lane] = {}
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)
        self._fresh = asyncio.Event()

    def start(self) -> None:
        """Ships what an earlier process left behind. Call it once, on the running loop."""
        self.add_all(self._spool.found)

    def add_all(self, found: Iterable[Kept]) -> None:
        for kept in found:
            self.add(kept)

    def add(self, kept: Kept) -> None:
        """``kept`` lies in the spool and comes after all others of its run."""
        run = (kept.recording, kept.run)
        lane = self._lanes.get(run)
        if lane is None:
            lane = self._lanes[run] = Lane(self, run)
        lane.add(kept)

    def welcomed(self) -> None:
        """The platform is here: who was refused or waits tries again now."""
        for lane in self._lanes.values():
            lane.try_now()

    async def drain(self, seconds: float) -> None:
        """Waits for what can be shipped within ``seconds``."""
        waiting = [asyncio.ensure_future(lane.empty.wait()) for lane in self._lanes.values()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=seconds)
            for one in late:
                one.cancel()

    async def close(self) -> None:
        """Ships nothing more; what is in the spool stays there."""
        tasks = [lane.task for lane in self._lanes.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ---------------------------------------------------------------- for lanes

    def door(self) -> Door:
        return Door(*self._address, self._tls)

    async def ship(self, door: Door, kept: Kept, segment: bytes) -> int:
        """One try: the answer's status. Raises OSError, TimeoutError and TimeUnknown."""
        async with self._turns, asyncio.timeout(ANSWER_SECONDS):
            assertion = self._identity.assertion(self._clock.now(), SEGMENT_AUDIENCE)
            return await door.put(
                f"/media/segments/{kept.recording}/{kept.run}/{kept.sequence}",
                {
                    "Authorization": f"Bearer {assertion}",
                    "Content-Type": "application/octet-stream",
                },
                segment,
            )

    def read(self, kept: Kept) -> bytes | None:
        """What is in the spool under this name; None if it is no such segment (put aside then)."""
        try:
            segment = self._spool.read(kept)
            header = describe(segment)
        except (OSError, Refused) as error:
            LOG.warning("a file of the spool is no segment: %s", type(error).__name__)
        else:
            if (header.recording, header.run, header.sequence) == (
                kept.recording,
                kept.run,
                kept.sequence,
            ):
                return segment
            LOG.warning("a segment of the spool has another's name")
        self._spool.put_aside(kept)
        return None

    def taken(self, kept: Kept) -> None:
        self._spool.remove(kept)

    def set_aside(self, kept: Kept) -> None:
        self._spool.put_aside(kept)

    def run_ended(self, run: Run, reason: RecordingReason) -> None:
        self._ended(run[0], run[1], reason)

    def lane_is_over(self, lane: Lane) -> None:
        if self._lanes.get(lane.run) is lane:
            del self._lanes[lane.run]


class Lane:
    """The segments of one run, and the task that ships them."""

    def __init__(self, shipping: Shipping, run: Run) -> None:
        self.run = run
        self.empty = asyncio.Event()
        self._shipping = shipping
        self._waiting: deque[Kept] = deque()
        self._has_more = asyncio.Event()
        self._again = asyncio.Event()
        self._is_unwanted = False
        self.task = asyncio.create_task(self._work())

    def add(self, kept: Kept) -> None:
        self._waiting.append(kept)
        self.empty.clear()
        self._has_more.set()

    def try_now(self) -> None:
        self._again.set()

    async def _work(self) -> None:
        try:
            async with self._shipping.door() as door:
                while True:
                    while self._waiting:
                        await self._ship_first(door)
                        self._waiting.popleft()
                    self.empty.set()
                    if not await self._is_needed():
                        return  # the next segment makes a new lane
        except Exception as error:  # noqa: BLE001 - one run's fault is not its neighbours'
            LOG.warning("shipping a recording failed: %s", type(error).__name__)
            self._shipping.run_ended(self.run, "fault")
        finally:
            self.empty.set()
            self._shipping.lane_is_over(self)

    async def _is_needed(self) -> bool:
        """Whether another segment comes before the connection has been idle for long."""
        self._has_more.clear()
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._has_more.wait()
        except TimeoutError:
            pass
        return bool(self._waiting)

    async def _ship_first(self, door: Door) -> None:
        """Returns when the first that waits need not be shipped any more.

        Files are touched in threads: a disk that is busy must not hold up what people hear.
        """
        kept = self._waiting[0]
        if self._is_unwanted:
            await asyncio.to_thread(self._shipping.set_aside, kept)
            return
        segment = await asyncio.to_thread(self._shipping.read, kept)
        if segment is None:
            return
        delay, failures = FIRST_RETRY_SECONDS, 0
        while True:
            status: int | str
            try:
                status = await self._shipping.ship(door, kept, segment)
            except (OSError, TimeoutError, TimeUnknown) as error:
                door.close()
                status = type(error).__name__
            if status in TAKEN:
                reached("segments.shipped")
                await asyncio.to_thread(self._shipping.taken, kept)
                return
            if status == CONFLICT or status in OVER:
                LOG.warning("the platform does not take a segment: %s", status)
                self._is_unwanted = True
                await asyncio.to_thread(self._shipping.set_aside, kept)
                reason: RecordingReason = "conflict" if status == CONFLICT else "unknown"
                self._shipping.run_ended(self.run, reason)
                return
            self._again.clear()
            if status in REFUSED:
                LOG.warning("the platform refuses this worker's segments: %s", status)
                self._shipping.run_ended(self.run, "refused")
                segment = b""  # nobody knows how long this takes
                await self._again.wait()
                segment = await asyncio.to_thread(self._shipping.read, kept) or b""
                if not segment:
                    return
                continue
            failures += 1
            if failures in {1, 10, 100}:
                LOG.info("segments wait for the platform: %s", status)
            try:
                async with asyncio.timeout(delay * random.uniform(0.5, 1.0)):  # noqa: S311 - no secret
                    await self._again.wait()
            except TimeoutError:
                pass
            delay = min(LAST_RETRY_SECONDS, 2 * delay)
