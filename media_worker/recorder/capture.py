"""Watches one source, as somebody in the room would, and writes down what it hears or sees."""

from __future__ import annotations

import logging
from typing import Protocol

from foundation.sealing.records import Frame, Gap, GapReason, Record, Report
from foundation.sealing.records import Source as Stream
from media_worker.plane import Packet, Source
from media_worker.recorder.clock import RunClock
from media_worker.recorder.frames import AudioFrames, Lost, VideoFrames, Whole

LOG = logging.getLogger("media_worker.recorder")


class Notes(Protocol):
    """Where records go: ``segments.Draft``."""

    def add(self, record: Record, stream: Stream | None = None) -> None: ...


class Capture:
    """A ``plane.Sink`` of one source. ``stream`` is what the recording calls the source."""

    def __init__(self, stream: Stream, source: Source, clock: RunClock, notes: Notes) -> None:
        self.stream = stream
        self._source = source
        self._clock = clock
        self._notes = notes
        self._frames = VideoFrames() if source.kind == "video" else AudioFrames()
        self._reported = source.last_report
        self._is_on = False

    def begin(self) -> None:
        """Takes what comes from now on; video from the next key frame, which is asked for."""
        if not self._is_on:
            self._is_on = True
            self._frames.restart()
            self._reported = None
            self._source.add(self)

    def end(self) -> None:
        """Takes nothing more, at once."""
        self._is_on = False
        self._source.remove(self)

    def restart(self) -> None:
        """Frames that were taken have been dropped: video begins anew at a key frame."""
        self._frames.restart()

    # ---------------------------------------------------------------- for plane.Source

    @property
    def awaits_key_frame(self) -> bool:
        return self._frames.awaits_key_frame

    def accept(self, packet: Packet) -> None:
        if not self._is_on:  # ended while this very packet was given to everybody
            return
        self._note(self._frames.push(packet))
        report = self._source.last_report
        if report is not self._reported and report is not None and report.ssrc == packet.ssrc:
            self._reported = report
            self._notes.add(
                Report(
                    self.stream.stream,
                    report.ntp & 0xFFFFFFFFFFFFFFFF,
                    report.rtp & 0xFFFFFFFF,
                    self._clock.at(report.arrival),
                ),
                self.stream,
            )

    def flush(self, now: float) -> None:
        """Writes down what is known by ``now``, of ``time.monotonic``."""
        if self._is_on:
            self._note(self._frames.flush(now))

    def _note(self, items: list[Whole | Lost]) -> None:
        for item in items:
            self._notes.add(self._record(item), self.stream)

    def _record(self, item: Whole | Lost) -> Record:
        at = self._clock.at
        if isinstance(item, Lost):
            since, until = at(item.since), at(item.until)
            return Gap(self.stream.stream, since, until, GapReason.PACKETS_LOST)
        return Frame(
            stream=self.stream.stream,
            key=item.is_key,
            rtp=item.rtp,
            arrival_us=at(item.arrival),
            sequence=item.sequence,
            packets=item.packets,
            payload=item.payload,
        )
