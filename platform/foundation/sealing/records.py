"""What is inside a segment: FORMAT.md section 2, "Plaintext".

A record that can't be written can't be made either: each checks itself when it is constructed and
raises ``ValueError``. What several records must be together is checked by ``write`` and ``read``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self
from uuid import UUID

from foundation.sealing.errors import SegmentMalformed, Where

PLAINTEXT_MOST_BYTES = 16_777_216
PAYLOAD_MOST_BYTES = 2_097_152
RECORDS_MOST = 65_536
SOURCES_MOST = 64
COVERS_MOST_US = 10_000_000

#: Stands in a gap for all streams of the run.
EVERY_STREAM = 65_535

_HEAD = struct.Struct(">BI")


class Kind(IntEnum):
    """What a stream shows."""

    MICROPHONE = 1
    CAMERA = 2
    SCREEN = 3


class Codec(IntEnum):
    """How a stream is encoded."""

    OPUS = 1
    VP8 = 2


class Protection(IntEnum):
    """Whether frames play as they are, or are SFrame ciphertext (FORMAT.md section 6)."""

    NONE = 0
    SFRAME = 1


class GapReason(IntEnum):
    """Why frames are missing."""

    PACKETS_LOST = 1
    WORKER_BEHIND = 2
    PAUSED = 3
    CONSENT_WITHDRAWN = 4
    SPOOL_FULL = 5
    WORKER_AWAY = 6


class What(IntEnum):
    """What happened at a place."""

    JOINED = 1
    LEFT = 2
    MICROPHONE_OFF = 3
    MICROPHONE_ON = 4
    CAMERA_OFF = 5
    CAMERA_ON = 6
    SCREEN_STARTED = 7
    SCREEN_STOPPED = 8
    PAUSED = 9
    RESUMED = 10
    CONSENTED = 11
    WITHDREW = 12


class Why(IntEnum):
    """Why a run ended."""

    STOPPED = 1
    STARTER_LEFT = 2
    CONSENT_WITHDRAWN = 3
    MEETING_ENDED = 4
    WORKER_DRAINS = 5
    HANDED_OVER = 6


#: The clock rate of each codec's RTP timestamps, in Hz.
RATES = {Codec.OPUS: 48_000, Codec.VP8: 90_000}


def _claim(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)


def _claim_fits(bits: int, *values: int) -> None:
    for value in values:  # for every frame three times: of a number that is right, nothing is left
        if value >> bits:
            raise ValueError(f"a number is not one of {bits} bits")


@dataclass(frozen=True, slots=True)
class Opening:
    """When the segment begins, on the run's clock and by the platform's, and how long it is."""

    TYPE: ClassVar = 1
    FORM: ClassVar = struct.Struct(">QQI")

    clock_us: int
    wall_us: int
    covers_us: int

    def __post_init__(self) -> None:
        _claim_fits(64, self.clock_us, self.wall_us)
        _claim(0 <= self.covers_us <= COVERS_MOST_US, "a segment is about too much time")

    def body(self) -> bytes:
        return self.FORM.pack(self.clock_us, self.wall_us, self.covers_us)

    @classmethod
    def of(cls, body: memoryview) -> Self:
        return cls(*cls.FORM.unpack(body))


@dataclass(frozen=True, slots=True)
class Source:
    """What a stream is; stands before its first use in every segment that speaks of it."""

    TYPE: ClassVar = 2
    FORM: ClassVar = struct.Struct(">H16sBBIB")

    stream: int
    place: UUID
    kind: Kind
    codec: Codec
    protection: Protection = Protection.NONE

    def __post_init__(self) -> None:
        _claim_fits(16, self.stream)
        _claim(self.stream != EVERY_STREAM, "this stream stands for all")
        fitting = Codec.OPUS if Kind(self.kind) is Kind.MICROPHONE else Codec.VP8
        _claim(self.codec is fitting, "a microphone is Opus and a picture VP8")
        Protection(self.protection)

    @property
    def rate(self) -> int:
        """The clock rate of its RTP timestamps, in Hz."""
        return RATES[self.codec]

    def body(self) -> bytes:
        return self.FORM.pack(
            self.stream, self.place.bytes, self.kind, self.codec, self.rate, self.protection
        )

    @classmethod
    def of(cls, body: memoryview) -> Self:
        stream, place, kind, codec, rate, protection = cls.FORM.unpack(body)
        made = cls(stream, UUID(bytes=place), Kind(kind), Codec(codec), Protection(protection))
        _claim(rate == made.rate, "the codec has another rate")
        return made


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded frame, whole. The payload is left out of its ``repr``: it is a person's image."""

    TYPE: ClassVar = 3
    FORM: ClassVar = struct.Struct(">HBIQHH")

    stream: int
    key: bool
    rtp: int
    arrival_us: int
    sequence: int
    packets: int
    payload: bytes

    def __post_init__(self) -> None:
        _claim_fits(16, self.stream, self.sequence, self.packets)
        _claim_fits(32, self.rtp)
        _claim_fits(64, self.arrival_us)
        _claim(self.packets >= 1, "a frame came in no packet")
        _claim(1 <= len(self.payload) <= PAYLOAD_MOST_BYTES, "a payload is empty or too long")

    def __repr__(self) -> str:
        return (
            f"Frame(stream={self.stream}, arrival_us={self.arrival_us}, {len(self.payload)} bytes)"
        )

    def body(self) -> bytes:
        head = self.FORM.pack(
            self.stream, self.key, self.rtp, self.arrival_us, self.sequence, self.packets
        )
        return head + self.payload

    @classmethod
    def of(cls, body: memoryview) -> Self:
        stream, flags, rtp, arrival_us, sequence, packets = cls.FORM.unpack_from(body)
        _claim(flags in {0, 1}, "an unknown flag")
        payload = bytes(body[cls.FORM.size :])
        return cls(stream, flags == 1, rtp, arrival_us, sequence, packets, payload)


@dataclass(frozen=True, slots=True)
class Report:
    """A sender report: at ``ntp`` (32.32 fixed point) the publisher's clock read ``rtp``."""

    TYPE: ClassVar = 4
    FORM: ClassVar = struct.Struct(">HQIQ")

    stream: int
    ntp: int
    rtp: int
    arrival_us: int

    def __post_init__(self) -> None:
        _claim_fits(16, self.stream)
        _claim_fits(32, self.rtp)
        _claim_fits(64, self.ntp, self.arrival_us)

    def body(self) -> bytes:
        return self.FORM.pack(self.stream, self.ntp, self.rtp, self.arrival_us)

    @classmethod
    def of(cls, body: memoryview) -> Self:
        return cls(*cls.FORM.unpack(body))


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two moments of the run's clock frames of a stream are missing."""

    TYPE: ClassVar = 5
    FORM: ClassVar = struct.Struct(">HQQB")

    stream: int
    from_us: int
    to_us: int
    reason: GapReason

    def __post_init__(self) -> None:
        _claim_fits(16, self.stream)
        _claim_fits(64, self.from_us, self.to_us)
        _claim(self.from_us <= self.to_us, "a gap ends before it begins")
        GapReason(self.reason)

    def body(self) -> bytes:
        return self.FORM.pack(self.stream, self.from_us, self.to_us, self.reason)

    @classmethod
    def of(cls, body: memoryview) -> Self:
        stream, from_us, to_us, reason = cls.FORM.unpack(body)
        return cls(stream, from_us, to_us, GapReason(reason))


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened at a place."""

    TYPE: ClassVar = 6
    FORM: ClassVar = struct.Struct(">QB16s")

    at_us: int
    what: What
    place: UUID

    def __post_init__(self) -> None:
        _claim_fits(64, self.at_us)
        What(self.what)

    def body(self) -> bytes:
        return self.FORM.pack(self.at_us, self.what, self.place.bytes)

    @classmethod
    def of(cls, body: memoryview) -> Self:
        at_us, what, place = cls.FORM.unpack(body)
        return cls(at_us, What(what), UUID(bytes=place))


@dataclass(frozen=True, slots=True)
class Closing:
    """The run ends here, and why."""

    TYPE: ClassVar = 7
    FORM: ClassVar = struct.Struct(">B")

    why: Why

    def __post_init__(self) -> None:
        Why(self.why)

    def body(self) -> bytes:
        return self.FORM.pack(self.why)

    @classmethod
    def of(cls, body: memoryview) -> Self:
        return cls(Why(*cls.FORM.unpack(body)))


Record = Opening | Source | Frame | Report | Gap | Event | Closing

_TYPES: dict[int, type[Record]] = {
    kind.TYPE: kind for kind in (Opening, Source, Frame, Report, Gap, Event, Closing)
}


def write(records: Iterable[Record], *, last: bool) -> bytes:
    """A segment's plaintext; ``last`` as its flag says. ``ValueError``: FORMAT.md forbids it."""
    made: list[bytes] = []
    size = 0
    for record in _in_order(records, last=last):
        body = record.body()
        size += _HEAD.size + len(body)
        _claim(size <= PLAINTEXT_MOST_BYTES, "a segment's plaintext is too long")
        made += (_HEAD.pack(record.TYPE, len(body)), body)
    return b"".join(made)


def read(plaintext: bytes, *, last: bool, where: Where | None = None) -> tuple[Record, ...]:
    """All records of a segment, or ``SegmentMalformed`` and none of them."""
    try:
        _claim(len(plaintext) <= PLAINTEXT_MOST_BYTES, "a segment's plaintext is too long")
        return tuple(_in_order(_parsed(plaintext), last=last))
    except (ValueError, struct.error):
        raise SegmentMalformed(where) from None


def _parsed(plaintext: bytes) -> Iterator[Record]:
    view = memoryview(plaintext)  # so that a payload is copied once
    at = 0
    while at < len(plaintext):
        kind, length = _HEAD.unpack_from(plaintext, at)
        at += _HEAD.size
        _claim(length <= len(plaintext) - at, "a record is longer than what is left")
        _claim(kind in _TYPES, "an unknown record")
        yield _TYPES[kind].of(view[at : at + length])
        at += length


def _in_order(records: Iterable[Record], *, last: bool) -> Iterator[Record]:
    """The same records. ``ValueError`` as soon as one may not stand where it does."""
    sources: dict[int, Source] = {}
    count = 0
    closed = False
    for count, record in enumerate(records, start=1):
        _claim(count <= RECORDS_MOST, "too many records")
        _claim(isinstance(record, Opening) == (count == 1), "the opening comes first, and once")
        _claim(not closed, "a record after the closing")
        match record:
            case Source():
                _claim(record.stream not in sources, "a stream is told of twice")
                sources[record.stream] = record
                _claim(len(sources) <= SOURCES_MOST, "too many sources")
            case Frame():
                _claim(record.stream in sources, "a frame of a stream nobody told of")
                of_sound = sources[record.stream].codec is Codec.OPUS
                _claim(record.key or not of_sound, "every Opus frame is a key frame")
            case Report():
                _claim(record.stream in sources, "a report of a stream nobody told of")
            case Gap():
                known = record.stream in sources or record.stream == EVERY_STREAM
                _claim(known, "a gap of a stream nobody told of")
            case Closing():
                closed = True
        yield record
    _claim(count > 0, "no records")
    _claim(closed == last, "a closing stands in the last segment of a run and nowhere else")
