"""The per-packet path: from one publisher's source to those who watch it.

This is all that runs for every packet, and it knows neither SDP nor ICE nor DTLS. The rest of the
worker uses four names of it, so that a native implementation can take its place:

``Source``   one microphone, camera or screen. ``push`` takes a packet as it came from the network,
             ``report`` the publisher's sender report, ``add``/``remove`` those who watch.
``Sink``     one who watches: ``accept`` is called at once, in the order of arrival, for each packet
             of the source; there is no queue in between, so none can grow.
``Rewriter`` makes the numbers of one sink's stream out of the source's.
``Packet``   the bytes and numbers that are forwarded.

Packets, not frames, are forwarded: a packet leaves when it arrives, gaps keep their place, and a
retransmission fills the gap later. Payload, marker, order and audio level stay as they came.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

LOG = logging.getLogger("media_worker.plane")

#: Key frames are asked for at most this often: each is about ten times a frame's size.
KEY_FRAME_SECONDS = 0.3

#: A packet this far behind the newest one is no late arrival any more.
MAX_LATE_PACKETS = 1_000


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet without what belongs to one hop; ``arrival`` is ``time.monotonic``."""

    ssrc: int
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes
    arrival: float
    audio_level: tuple[bool, int] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a publisher's sender report says: at ``ntp`` (32.32 fixed) its clock read ``rtp``."""

    ssrc: int
    ntp: int
    rtp: int
    arrival: float


class Sink(Protocol):
    """One who watches a source. Neither call may block or await."""

    @property
    def awaits_key_frame(self) -> bool: ...

    def accept(self, packet: Packet) -> None: ...


def starts_key_frame(payload: bytes) -> bool:
    """Whether a VP8 payload is the first of a key frame (RFC 7741 sections 4.2 and 4.3)."""
    if len(payload) < 2 or not payload[0] & 0x10 or payload[0] & 0x07:
        return False
    at = 1
    if payload[0] & 0x80:
        fields = payload[1]
        at = 2
        if fields & 0x80:
            at += 2 if len(payload) > at and payload[at] & 0x80 else 1
        if fields & 0x40:
            at += 1
        if fields & 0x30:
            at += 1
    return len(payload) > at and not payload[at] & 0x01


class Source:
    """One microphone, camera or screen of a publisher, and those who watch it.

    ``ask`` is called when a key frame is needed, and says whether it could; the receiver sets it.
    Nothing happens while the publisher sends nothing.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.ask: Callable[[], bool] | None = None
        self.last_report: Report | None = None
        self.packets = 0
        self._sinks: tuple[Sink, ...] = ()
        self._wanted = False
        self._asked_at = 0.0

    @property
    def sinks(self) -> tuple[Sink, ...]:
        return self._sinks

    def add(self, sink: Sink) -> None:
        """``sink`` watches from now on; for video, a key frame is asked for at once."""
        if sink not in self._sinks:
            self._sinks = (*self._sinks, sink)
        self.want_key_frame()

    def remove(self, sink: Sink) -> None:
        self._sinks = tuple(one for one in self._sinks if one is not sink)

    def push(self, packet: Packet) -> None:
        """Gives ``packet`` to everyone who watches; one of them failing harms no other."""
        self.packets += 1
        if self.kind == "video":
            if starts_key_frame(packet.payload):
                self._wanted = False
            elif self._wanted or any(sink.awaits_key_frame for sink in self._sinks):
                self._ask_if_due()
        for sink in self._sinks:
            try:
                sink.accept(packet)
            except Exception as error:  # noqa: BLE001 - one sink's fault is not its neighbours'
                LOG.warning("forwarding to one participant failed: %s", type(error).__name__)

    def report(self, report: Report) -> None:
        self.last_report = report

    def want_key_frame(self) -> None:
        """Asks the publisher for a key frame, now or as soon as the last request is old enough.

        It is asked again with the packets that arrive until a key frame begins.
        """
        if self.kind == "video":
            self._wanted = True
            self._ask_if_due()

    def _ask_if_due(self) -> None:
        now = time.monotonic()
        is_due = now - self._asked_at >= KEY_FRAME_SECONDS
        if self.ask is not None and is_due and self.ask():
            self._asked_at = now


class Rewriter:
    """One outgoing stream's sequence numbers and timestamps, continuous whatever comes in.

    A video stream starts, and starts again when the publisher's SSRC changes, at a key frame.
    """

    def __init__(self, kind: str, clock_rate: int) -> None:
        self._video = kind == "video"
        self._clock_rate = clock_rate
        # In the lower half, so that the first wrap is far: libsrtp guesses the roll-over counter.
        self._next_sequence = random.randrange(1, 1 << 15)  # noqa: S311 - no secret (RFC 3550)
        self._ssrc: int | None = None
        self._highest = 0
        self._first = 0
        self._sequence_offset = 0
        self._timestamp_offset = 0
        self._last: tuple[int, float] | None = None

    @property
    def awaits_key_frame(self) -> bool:
        return self._video and self._ssrc is None

    def restart(self) -> None:
        """The next packet comes from another source."""
        self._ssrc = None

    def timestamp(self, report: Report) -> int | None:
        """The outgoing timestamp of the moment ``report`` is about; None if it is of no use."""
        if report.ssrc != self._ssrc:
            return None
        return (report.rtp + self._timestamp_offset) & 0xFFFFFFFF

    def rewrite(self, packet: Packet) -> tuple[int, int] | None:
        """Outgoing (sequence, timestamp) of ``packet``; None if it is not to be sent."""
        if packet.ssrc != self._ssrc:
            if self._video and not starts_key_frame(packet.payload):
                return None
            self._start(packet)
        delta = ((packet.sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        extended = self._highest + delta
        if extended < self._first or delta < -MAX_LATE_PACKETS:
            return None
        timestamp = (packet.timestamp + self._timestamp_offset) & 0xFFFFFFFF
        sequence = (extended + self._sequence_offset) & 0xFFFF
        if delta >= 0:
            self._highest = extended
            self._next_sequence = (sequence + 1) & 0xFFFF
            self._last = (timestamp, packet.arrival)
        return sequence, timestamp

    def _start(self, packet: Packet) -> None:
        self._ssrc = packet.ssrc
        self._highest = self._first = packet.sequence
        self._sequence_offset = self._next_sequence - packet.sequence
        if self._last is None:
            self._timestamp_offset = 0
        else:
            timestamp, arrival = self._last
            elapsed = max(1, int((packet.arrival - arrival) * self._clock_rate))
            self._timestamp_offset = timestamp + elapsed - packet.timestamp
