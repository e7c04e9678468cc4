"""One recording of one room by this worker: one run, from its first segment to its last.

It is told who comes and goes, takes the frames of those places that it was told to record, and of
nobody else, and ends with a closing record. Its faults end the recording and nothing besides.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Executor
from typing import Any, Final
from uuid import UUID

from foundation.sealing.records import EVERY_STREAM, Codec, Event, Gap, GapReason, Kind, What, Why
from foundation.sealing.records import Source as Stream
from foundation.sealing.runs import RunWriter
from foundation.wire.worker import Record, Recording, RecordingReason, StopWhy
from media_worker.clock import Clock
from media_worker.plane import Source
from media_worker.recorder.capture import Capture
from media_worker.recorder.clock import RunClock
from media_worker.recorder.segments import SEGMENT_SECONDS, Segments
from media_worker.recorder.spool import Kept, Spool

LOG = logging.getLogger("media_worker.recorder")

#: A room in which nobody is any more is not recorded for ever; people who reload are back by then.
EMPTY_SECONDS: Final = 60.0

#: Streams of one run: FORMAT.md has numbers up to 65,534.
KINDS: Final = (Kind.MICROPHONE, Kind.CAMERA, Kind.SCREEN)

WHYS: Final[Mapping[StopWhy, Why]] = {
    "stopped": Why.STOPPED,
    "starter_left": Why.STARTER_LEFT,
    "withdrawn": Why.CONSENT_WITHDRAWN,
    "meeting_ended": Why.MEETING_ENDED,
    "draining": Why.WORKER_DRAINS,
    "handed_over": Why.HANDED_OVER,
}


class KeyMalformed(ValueError):
    """What the order calls a public key is none."""


def public_key_of(order: Record) -> bytes:
    """The 32 bytes of the recording's key. Raises KeyMalformed."""
    try:
        text = order.public_key.rstrip("=")
        raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise KeyMalformed from None
    if len(raw) != 32:
        raise KeyMalformed
    return raw


class Recorder:
    """``tell`` gives the platform the state; ``over`` is called once, when the run has ended.

    Raises KeyMalformed, and TimeUnknown before the platform has told the time.
    """

    def __init__(
        self,
        order: Record,
        clock: Clock,
        spool: Spool,
        pool: Executor,
        *,
        kept: Callable[[Kept], None],
        tell: Callable[[Recording], None],
        over: Callable[[Recorder], None],
    ) -> None:
        self.room = order.room
        self.recording = order.recording
        self._spool = spool
        self._tell = tell
        self._over = over
        self._writer = RunWriter(order.organisation, order.recording, public_key_of(order))
        self._clock = RunClock(clock)
        self._segments = Segments(
            self._writer,
            self._clock,
            spool,
            pool,
            kept=kept,
            dropped=self._restart,
            full=lambda: self._halt(GapReason.SPOOL_FULL),
        )
        self._places: set[UUID] = set()
        self._withdrawn: dict[UUID, int] = {}
        self._people: dict[UUID, tuple[Source, ...]] = {}
        self._captures: dict[UUID, tuple[Capture, ...]] = {}
        self._streams: dict[UUID, tuple[Stream, ...]] = {}
        self._halts: dict[GapReason, int] = {}
        self._empty_since: float | None = time.monotonic()
        self._state = Recording(
            room=self.room, recording=self.recording, run=self.run, state="recording"
        )
        self._is_over = False
        self._is_stopping = False
        self.ended = asyncio.Event()
        #: Ends when the last segment is in the spool.
        self._sealing = asyncio.create_task(self._guarded(self._segments.seal_queued()))
        cutting = asyncio.create_task(self._guarded(self._keep_cutting()))
        self._tasks = {self._sealing, cutting}

    @property
    def run(self) -> UUID:
        return self._writer.run

    # ---------------------------------------------------------------- orders

    def take_places(self, places: Iterable[UUID]) -> None:
        """These places are recorded too; one that withdrew is not."""
        for place in places:
            if place in self._places or place in self._withdrawn:
                continue
            self._places.add(place)
            self._note(What.CONSENTED, place)
            if place in self._people:
                self._note(What.JOINED, place)
                self._capture(place)

    def withdraw(self, place: UUID) -> None:
        """Nothing of ``place`` is taken from now on, whatever order comes."""
        if place in self._withdrawn:
            return
        now = self._clock.now()
        self._withdrawn[place] = now
        captures = self._captures.pop(place, ())
        for capture in captures:
            capture.end()
        if place not in self._places:
            return
        self._places.discard(place)
        self._note(What.WITHDREW, place)
        self._note_withdrawn(place, now, now)

    def pause(self) -> None:
        self._halt(GapReason.PAUSED)

    def resume(self) -> None:
        self._go_on(GapReason.PAUSED)

    def stop(self, why: StopWhy, reason: RecordingReason | None = None) -> None:
        """Ends the run with a last segment; ``ended`` is set when that is in the spool."""
        if self._is_over or self._is_stopping:
            return
        self._is_stopping = True
        self._flush()
        self._end_captures()
        now = self._clock.now()
        for halt, since in self._halts.items():
            self._segments.add(Gap(EVERY_STREAM, since, now, halt))
        for place, since in self._withdrawn.items():
            self._note_withdrawn(place, since, now)
        self._spawn(self._finish(why, reason or why))

    def fail(self, reason: RecordingReason) -> None:
        """Ends the run as it is, without a last segment."""
        self._end("failed", reason)

    # ---------------------------------------------------------------- people

    def joined(self, place: UUID, sources: tuple[Source, ...]) -> None:
        """``place`` is in the room, perhaps anew (a higher epoch)."""
        is_new = place not in self._people
        self._people[place] = sources
        self._empty_since = None
        for capture in self._captures.pop(place, ()):
            capture.end()
        if place in self._places:
            if is_new:
                self._note(What.JOINED, place)
            self._capture(place)

    def left(self, place: UUID) -> None:
        if self._people.pop(place, None) is None:
            return
        for capture in self._captures.pop(place, ()):
            capture.flush(time.monotonic())
            capture.end()
        if place in self._places:
            self._note(What.LEFT, place)
        if not self._people:
            self._empty_since = time.monotonic()

    # ---------------------------------------------------------------- inside

    def remind(self) -> None:
        """The link is new: says again what the state is."""
        self._tell(self._state)

    def _capture(self, place: UUID) -> None:
        if self._is_stopping or self._is_over:
            return
        if place not in self._streams:
            first = len(KINDS) * len(self._streams)
            if first + len(KINDS) > EVERY_STREAM:
                return
            self._streams[place] = tuple(
                Stream(
                    first + number,
                    place,
                    kind,
                    Codec.OPUS if kind is Kind.MICROPHONE else Codec.VP8,
                )
                for number, kind in enumerate(KINDS)
            )
        captures = tuple(
            Capture(stream, source, self._clock, self._segments)
            for stream, source in zip(self._streams[place], self._people[place], strict=True)
        )
        self._captures[place] = captures
        if not self._halts:
            for capture in captures:
                capture.begin()

    def _halt(self, why: GapReason) -> None:
        """Nobody's frames are taken until ``_go_on`` for the same reason."""
        if why in self._halts or self._is_over or self._is_stopping:
            return
        if not self._halts:
            self._flush()
            for capture in self._all_captures():
                capture.end()
        self._halts[why] = self._clock.now()
        if why is GapReason.PAUSED:
            self._note_all(What.PAUSED)
        self._segments.cut()
        self._change()

    def _go_on(self, why: GapReason) -> None:
        since = self._halts.pop(why, None)
        if since is None or self._is_over or self._is_stopping:
            return
        self._segments.add(Gap(EVERY_STREAM, since, self._clock.now(), why))
        if why is GapReason.PAUSED:
            self._note_all(What.RESUMED)
        if not self._halts:
            for capture in self._all_captures():
                capture.begin()
        self._change()

    async def _keep_cutting(self) -> None:
        while True:
            await asyncio.sleep(SEGMENT_SECONDS)
            if GapReason.SPOOL_FULL in self._halts and self._spool.is_roomy:
                self._go_on(GapReason.SPOOL_FULL)
            self._flush()
            self._segments.cut(even_if_empty=not self._halts and bool(self._people))
            if (
                self._empty_since is not None
                and time.monotonic() - self._empty_since > EMPTY_SECONDS
            ):
                self.stop("meeting_ended", "room_empty")

    async def _finish(self, why: StopWhy, reason: RecordingReason) -> None:
        await self._segments.close(WHYS[why])
        await self._sealing
        self._end("stopped", reason)

    def _restart(self) -> None:
        for capture in self._all_captures():
            capture.restart()

    def _flush(self) -> None:
        now = time.monotonic()
        for capture in self._all_captures():
            capture.flush(now)

    def _all_captures(self) -> list[Capture]:
        return [capture for captures in self._captures.values() for capture in captures]

    def _end_captures(self) -> None:
        for capture in self._all_captures():
            capture.end()
        self._captures.clear()

    def _note(self, what: What, place: UUID) -> None:
        self._segments.add(Event(self._clock.now(), what, place))

    def _note_all(self, what: What) -> None:
        for place in self._places & set(self._people):
            self._note(what, place)

    def _note_withdrawn(self, place: UUID, since: int, until: int) -> None:
        for stream in self._streams.get(place, ()):
            gap = Gap(stream.stream, since, until, GapReason.CONSENT_WITHDRAWN)
            self._segments.add(gap, stream)

    # ---------------------------------------------------------------- states

    def _change(self) -> None:
        state, reason = "recording", None
        if GapReason.PAUSED in self._halts:
            state = "paused"
        elif self._halts:
            state, reason = "paused", "spool_full"
        self._say(state, reason)

    def _say(self, state: str, reason: str | None) -> None:
        if (self._state.state, self._state.reason) != (state, reason):
            LOG.info("a recording is %s%s", state, f": {reason}" if reason else "")
            self._state = Recording.model_validate(
                {
                    "room": self.room,
                    "recording": self.recording,
                    "run": self.run,
                    "state": state,
                    "reason": reason,
                }
            )
            self._tell(self._state)

    @property
    def last_state(self) -> Recording:
        return self._state

    def _end(self, state: str, reason: RecordingReason) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._end_captures()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._say(state, reason)
        self.ended.set()
        self._over(self)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a recording's fault is not the call's
            LOG.warning("a recording failed: %s", type(error).__name__)
            self._end("failed", "fault")
