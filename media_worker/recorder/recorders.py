"""Every recording of this worker, by the platform's orders; one for a room at a time.

What rooms tell and what the platform orders ends here if it fails, so that no fault of a recording
reaches a call.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from foundation.wire.message import Message
from foundation.wire.worker import (
    PauseRecording,
    Record,
    Recording,
    RecordingOrder,
    RecordingReason,
    StopRecording,
    StopWhy,
    Withdraw,
)
from media_worker.clock import Clock
from media_worker.identity import Identity, tls_context
from media_worker.plane import Source
from media_worker.recorder.recorder import Recorder
from media_worker.recorder.shipping import Shipping
from media_worker.recorder.spool import Spool
from media_worker.settings import Settings

LOG = logging.getLogger("media_worker.recorder")

#: Two cores' worth of sealing and of waiting for the disk.
SEALING_THREADS = 2

#: Recordings that were told to stop, or whose withdrawals are remembered.
MAX_REMEMBERED = 2_000

#: At the end of this process: until last segments are sealed, and then shipped.
STOP_SECONDS = 1.0
DRAIN_SECONDS = 0.5

People = dict[UUID, tuple[Source, ...]]


class Recorders:
    """``send`` puts a message to the platform into the link's outbox."""

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        clock: Clock,
        spool: Spool,
        send: Callable[[Message], None],
    ) -> None:
        self._clock = clock
        self._spool = spool
        self._send = send
        self._pool = ThreadPoolExecutor(SEALING_THREADS, thread_name_prefix="sealing")
        self._shipping = Shipping(
            settings.https_url, tls_context(settings), identity, clock, spool, self._run_ended
        )
        self._rooms: dict[UUID, Recorder] = {}
        self._stopped: OrderedDict[UUID, Recording] = OrderedDict()
        self._withdrawn: OrderedDict[UUID, set[UUID]] = OrderedDict()

    def start(self) -> None:
        """Ships what an earlier process left. On the running loop."""
        self._shipping.start()

    def remind(self) -> None:
        """The link to the platform is new."""
        self._shipping.welcomed()
        for recorder in self._rooms.values():
            recorder.remind()

    # ---------------------------------------------------------------- orders

    def take(self, order: RecordingOrder, people: People) -> None:
        """Does what the platform says; ``people`` are in the room now."""
        try:
            if isinstance(order, Record):
                self._record(order, people)
            elif isinstance(order, Withdraw):
                self._withdraw(order)
            elif isinstance(order, StopRecording):
                self._stop(order)
            else:
                recorder = self._of(order.room, order.recording)
                if recorder is not None:
                    recorder.pause() if isinstance(order, PauseRecording) else recorder.resume()
        except Exception as error:  # noqa: BLE001 - no fault of a recording reaches a call
            LOG.warning("an order to record failed: %s", type(error).__name__)
            self._refuse(order, "fault")

    def _record(self, order: Record, people: People) -> None:
        if order.recording in self._stopped:
            self._send(self._stopped[order.recording])
            return
        recorder = self._rooms.get(order.room)
        if recorder is not None and recorder.recording != order.recording:
            self._refuse(order, "capacity")
            return
        if recorder is None:
            recorder = Recorder(
                order,
                self._clock,
                self._spool,
                self._pool,
                kept=self._shipping.add,
                tell=self._send,
                over=self._over,
            )
            self._rooms[order.room] = recorder
            for place in self._withdrawn.get(order.recording, ()):
                recorder.withdraw(place)
            for place, sources in people.items():
                recorder.joined(place, sources)
            LOG.info("a recording begins")
        recorder.take_places(order.places)
        recorder.remind()

    def _withdraw(self, order: Withdraw) -> None:
        recorder = self._of(order.room, order.recording)
        if recorder is not None:
            recorder.withdraw(order.place)
        self._withdrawn.setdefault(order.recording, set()).add(order.place)
        self._withdrawn.move_to_end(order.recording)
        while len(self._withdrawn) > MAX_REMEMBERED:
            self._withdrawn.popitem(last=False)

    def _stop(self, order: StopRecording) -> None:
        recorder = self._of(order.room, order.recording)
        run = recorder.run if recorder is not None else None
        self._remember_stop(order.room, order.recording, run, order.why)
        if recorder is not None:
            recorder.stop(order.why)
        else:
            self._send(self._stopped[order.recording])

    def _remember_stop(self, room: UUID, recording: UUID, run: UUID | None, why: StopWhy) -> None:
        """An order to record it that was overtaken begins nothing."""
        state = Recording(room=room, recording=recording, run=run, state="stopped", reason=why)
        self._stopped.setdefault(recording, state)
        while len(self._stopped) > MAX_REMEMBERED:
            self._stopped.popitem(last=False)

    def _of(self, room: UUID, recording: UUID) -> Recorder | None:
        recorder = self._rooms.get(room)
        return recorder if recorder is not None and recorder.recording == recording else None

    def _refuse(self, order: RecordingOrder, reason: RecordingReason) -> None:
        recorder = self._of(order.room, order.recording)
        if recorder is not None:
            recorder.fail(reason)
            return
        self._send(
            Recording(
                room=order.room,
                recording=order.recording,
                run=None,
                state="failed",
                reason=reason,
            )
        )

    # ---------------------------------------------------------------- rooms

    def joined(self, room: UUID, place: UUID, sources: tuple[Source, ...]) -> None:
        self._follow(room, lambda recorder: recorder.joined(place, sources))

    def left(self, room: UUID, place: UUID) -> None:
        self._follow(room, lambda recorder: recorder.left(place))

    def closed(self, room: UUID) -> None:
        """The platform ended all media of ``room``."""
        recorder = self._rooms.get(room)
        if recorder is not None:
            self._remember_stop(room, recorder.recording, recorder.run, "meeting_ended")
        self._follow(room, lambda recorder: recorder.stop("meeting_ended"))

    def _follow(self, room: UUID, told: Callable[[Recorder], None]) -> None:
        recorder = self._rooms.get(room)
        if recorder is None:
            return
        try:
            told(recorder)
        except Exception as error:  # noqa: BLE001 - no fault of a recording reaches a call
            LOG.warning("a recording failed: %s", type(error).__name__)
            recorder.fail("fault")

    # ---------------------------------------------------------------- ends

    def _over(self, recorder: Recorder) -> None:
        if self._rooms.get(recorder.room) is recorder:
            del self._rooms[recorder.room]

    def _run_ended(self, recording: UUID, run: UUID, reason: RecordingReason) -> None:
        for recorder in list(self._rooms.values()):
            if (recorder.recording, recorder.run) == (recording, run):
                recorder.fail(reason)

    async def close(self) -> None:
        """Ends all runs as this worker drains, and ships what it can in the time there is."""
        recorders = list(self._rooms.values())
        for recorder in recorders:
            recorder.stop("draining")
        waiting = [asyncio.ensure_future(recorder.ended.wait()) for recorder in recorders]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=STOP_SECONDS)
            for one in late:
                one.cancel()
        await self._shipping.drain(DRAIN_SECONDS)
        await self._shipping.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._spool.close()
