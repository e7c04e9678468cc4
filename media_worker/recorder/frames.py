"""From packets back to encoded frames, in the publisher's order, and what is missing between them.

An Opus packet is a frame. A VP8 frame is all packets of one timestamp without their payload
descriptors (RFC 7741), and whole or not given at all; after a missing one, those that follow cannot
be decoded and are left out until a key frame.

Packets come out of order, late, twice, or made up by somebody who means harm. What waits for a
missing one is bounded in number, bytes and time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from media_worker.plane import MAX_LATE_PACKETS, Packet

#: A retransmission is asked for during 0.6 s (feedback.MAX_TRIES) and takes its time to come.
VIDEO_PATIENCE_SECONDS = 0.8

#: Nobody repeats audio, so only what overtook is waited for.
AUDIO_PATIENCE_SECONDS = 0.2

#: What may wait behind a hole: a second of 5 Mbit/s.
MAX_WAITING_PACKETS = 512
MAX_WAITING_BYTES = 786_432

#: A frame's payload (FORMAT.md, section 2), and in how many packets it may come.
MAX_FRAME_BYTES = 2_097_152
MAX_FRAME_PACKETS = 4_096


@dataclass(frozen=True, slots=True)
class Whole:
    """One encoded frame; ``arrival`` and ``sequence`` are those of its first packet."""

    is_key: bool
    rtp: int
    arrival: float
    sequence: int
    packets: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """Frames are missing between two moments of ``time.monotonic``."""

    since: float
    until: float


class InOrder:
    """The packets of one SSRC by their sequence numbers: (does one miss before it, packet)."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience = patience_seconds
        self._next: int | None = None
        self._waiting: dict[int, Packet] = {}
        self._waiting_bytes = 0

    def push(self, packet: Packet) -> Iterator[tuple[bool, Packet]]:
        """What can be given now that ``packet`` has come."""
        if self._next is None:
            self._next = packet.sequence
        delta = ((packet.sequence - self._next + 0x8000) & 0xFFFF) - 0x8000
        if delta < -MAX_LATE_PACKETS or delta > MAX_WAITING_PACKETS:
            # A jump: what waits is given, and this one begins anew.
            yield from self._give_all()
            self._next = packet.sequence + 1
            yield True, packet
            return
        number = self._next + delta
        if delta < 0 or number in self._waiting:
            return
        if delta == 0 and not self._waiting:
            self._next += 1
            yield False, packet
            return
        self._waiting[number] = packet
        self._waiting_bytes += len(packet.payload)
        yield from self._give_following()
        while (
            len(self._waiting) > MAX_WAITING_PACKETS
            or self._waiting_bytes > MAX_WAITING_BYTES
            or self._is_overdue(packet.arrival)
        ):
            yield from self._skip()

    def expire(self, now: float) -> Iterator[tuple[bool, Packet]]:
        """What is given because at ``now`` it has waited long enough."""
        while self._is_overdue(now):
            yield from self._skip()

    def _give_all(self) -> Iterator[tuple[bool, Packet]]:
        while self._waiting:
            yield from self._skip()

    def _is_overdue(self, now: float) -> bool:
        if not self._waiting:
            return False
        # The first that came behind the hole, by arrival: dictionaries keep that order.
        oldest = next(iter(self._waiting.values()))
        return now - oldest.arrival > self._patience

    def _skip(self) -> Iterator[tuple[bool, Packet]]:
        """Gives up what misses before the lowest that waits."""
        self._next = min(self._waiting)
        is_after_hole = True
        for _, packet in self._give_following():
            yield is_after_hole, packet
            is_after_hole = False

    def _give_following(self) -> Iterator[tuple[bool, Packet]]:
        assert self._next is not None
        while (packet := self._waiting.pop(self._next, None)) is not None:
            self._waiting_bytes -= len(packet.payload)
            self._next += 1
            yield False, packet


class AudioFrames:
    """Frames of one microphone."""

    awaits_key_frame = False

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """What comes next has nothing to do with what came before."""
        self._ssrc: int | None = None
        self._row = InOrder(AUDIO_PATIENCE_SECONDS)
        self._good: float | None = None

    def push(self, packet: Packet) -> list[Whole | Lost]:
        given: list[Whole | Lost] = []
        if packet.ssrc != self._ssrc:
            given = self._taken(self._row._give_all())  # noqa: SLF001 - this module's
            self.restart()
            self._ssrc = packet.ssrc
        return given + self._taken(self._row.push(packet))

    def flush(self, now: float) -> list[Whole | Lost]:
        """What is known by ``now``."""
        return self._taken(self._row.expire(now))

    def _taken(self, packets: Iterator[tuple[bool, Packet]]) -> list[Whole | Lost]:
        given: list[Whole | Lost] = []
        for is_after_hole, packet in packets:
            if is_after_hole and self._good is not None:
                given.append(Lost(self._good, max(self._good, packet.arrival)))
            self._good = packet.arrival
            if packet.payload:  # padding alone keeps a path open and is no frame
                given.append(
                    Whole(
                        is_key=True,
                        rtp=packet.timestamp,
                        arrival=packet.arrival,
                        sequence=packet.sequence,
                        packets=1,
                        payload=packet.payload,
                    )
                )
        return given


class VideoFrames:
    """Frames of one camera or screen."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """What comes next has nothing to do with what came before; it begins at a key frame."""
        self._ssrc: int | None = None
        self._row = InOrder(VIDEO_PATIENCE_SECONDS)
        self.awaits_key_frame = True
        self._parts: list[bytes] = []
        self._size = 0
        self._packets = 0
        self._first: Packet | None = None
        #: Arrivals of the newest whole frame and of the newest packet; since when frames miss.
        self._good: float | None = None
        self._seen = 0.0
        self._missing_since: float | None = None

    def push(self, packet: Packet) -> list[Whole | Lost]:
        given: list[Whole | Lost] = []
        if packet.ssrc != self._ssrc:
            given = self._taken(self._row._give_all())  # noqa: SLF001 - this module's
            given += self._missing_until(self._seen)
            self.restart()
            self._ssrc = packet.ssrc
        return given + self._taken(self._row.push(packet))

    def flush(self, now: float) -> list[Whole | Lost]:
        """What is known by ``now``; what is missing, up to the newest packet."""
        return self._taken(self._row.expire(now)) + self._missing_until(self._seen)

    def _missing_until(self, moment: float) -> list[Whole | Lost]:
        if self._missing_since is None or moment <= self._missing_since:
            return []
        lost = Lost(self._missing_since, moment)
        self._missing_since = moment
        return [lost]

    def _taken(self, packets: Iterator[tuple[bool, Packet]]) -> list[Whole | Lost]:
        given: list[Whole | Lost] = []
        for is_after_hole, packet in packets:
            if is_after_hole:
                self._break()
            self._seen = max(self._seen, packet.arrival)
            if packet.payload:  # padding alone has a number and nothing else
                self._add(packet, given)
        return given

    def _add(self, packet: Packet, given: list[Whole | Lost]) -> None:
        length = descriptor_length(packet.payload)
        if length is None:
            self._break()
            return
        if self._first is not None and packet.timestamp != self._first.timestamp:
            self._finish(given)  # its marker was forgotten, but no packet of it is missing
        if begins_frame(packet.payload):
            if self._first is not None:
                self._break()
            self._first = packet
        elif self._first is None:
            self._break()
            return
        self._parts.append(packet.payload[length:])
        self._size += len(packet.payload) - length
        self._packets += 1
        if self._size > MAX_FRAME_BYTES or self._packets > MAX_FRAME_PACKETS:
            self._break()
        elif packet.marker:
            self._finish(given)

    def _finish(self, given: list[Whole | Lost]) -> None:
        first, packets, payload = self._first, self._packets, b"".join(self._parts)
        self._clear()
        assert first is not None
        is_key = not payload[0] & 0x01
        if self.awaits_key_frame and not is_key:
            return
        if self._missing_since is not None:
            given.append(Lost(self._missing_since, max(self._missing_since, first.arrival)))
            self._missing_since = None
        self.awaits_key_frame = False
        self._good = first.arrival
        given.append(
            Whole(
                is_key=is_key,
                rtp=first.timestamp,
                arrival=first.arrival,
                sequence=first.sequence,
                packets=packets,
                payload=payload,
            )
        )

    def _break(self) -> None:
        """The frame that was begun, or one that was not even seen, will never be whole."""
        self._clear()
        self.awaits_key_frame = True
        if self._missing_since is None:
            self._missing_since = self._good

    def _clear(self) -> None:
        self._parts.clear()
        self._size = self._packets = 0
        self._first = None


def begins_frame(payload: bytes) -> bool:
    """Whether a VP8 payload is the first of its frame: a start, of partition 0."""
    return bool(payload[0] & 0x10) and not payload[0] & 0x07


def descriptor_length(payload: bytes) -> int | None:
    """Bytes of the VP8 payload descriptor (RFC 7741 section 4.2); None if nothing follows it."""
    at = 1
    if payload[0] & 0x80:
        if len(payload) < 2:
            return None
        fields = payload[1]
        at = 2
        if fields & 0x80:
            at += 2 if len(payload) > at and payload[at] & 0x80 else 1
        if fields & 0x40:
            at += 1
        if fields & 0x30:
            at += 1
    return at if len(payload) > at else None
