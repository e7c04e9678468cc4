"""A studio: people whose cameras flash and whose microphones beep together, as segments.

Twenty-five pictures and fifty packets are encoded for real and then repeated for as long as wanted:
a second begins with a key frame, and ``EVENT_S`` into it the picture turns white and a tone sounds,
by the person's own clock. What the network and clocks do to that is told by each source.
"""

from __future__ import annotations

import heapq
import math
import random
import struct
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import av

from foundation.sealing.records import (
    Closing,
    Codec,
    Frame,
    Gap,
    GapReason,
    Kind,
    Opening,
    Record,
    Report,
    Source,
    Why,
)

EVENT_S = 0.48
#: When the platform says that the recording began, in microseconds since 1970.
STARTED_US = 1_795_000_000_000_000
DAY_S = 86_400


class Segment(NamedTuple):
    run: uuid.UUID
    sequence: int
    records: tuple[Record, ...]


@cache
def pictures(width: int = 160, height: int = 120, fps: int = 25) -> tuple[bytes, ...]:
    """A second of VP8: a moving bar on grey, white for 120 ms from ``EVENT_S`` on."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base = Fraction(1, fps)
    codec.bit_rate = 200_000
    codec.options = {"deadline": "realtime", "lag-in-frames": "0", "g": str(fps)}
    made = []
    for number in range(fps):
        frame = av.VideoFrame(width, height, "yuv420p")
        is_white = EVENT_S - 0.001 <= number / fps < EVENT_S + 0.119
        for index, plane in enumerate(frame.planes):
            row = bytearray([128] * plane.line_size)
            if index == 0:
                row = bytearray([235 if is_white else 60] * plane.line_size)
                bar = number * width // fps
                row[bar : bar + 4] = bytes([120] * 4)
            plane.update(bytes(row) * plane.height)
        frame.pts = number
        made += [bytes(packet) for packet in codec.encode(frame)]
    made += [bytes(packet) for packet in codec.encode(None)]
    assert len(made) == fps
    return tuple(made)


@cache
def sounds(packet_ms: int = 20) -> tuple[bytes, ...]:
    """A second of Opus in stereo: silence, and 1 kHz for 100 ms from ``EVENT_S`` on."""
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "stereo", "s16"
    codec.time_base = Fraction(1, 48_000)
    codec.bit_rate = 32_000
    codec.options = {"frame_duration": str(packet_ms), "application": "voip"}
    codec.open()
    size = 48 * packet_ms
    made: list[bytes] = []
    # Two seconds, of which the later is taken: the encoder has warmed up, and looks ahead.
    for number in range(2_000 // packet_ms + 2):
        samples = []
        for at in range(number * size, (number + 1) * size):
            sounding = EVENT_S <= at / 48_000 % 1 < EVENT_S + 0.1
            value = int(12_000 * math.sin(2 * math.pi * 1_000 * at / 48_000)) if sounding else 0
            samples += [value, value]
        frame = av.AudioFrame("s16", "stereo", size)
        frame.planes[0].update(struct.pack(f"<{len(samples)}h", *samples))
        frame.sample_rate, frame.pts, frame.time_base = 48_000, number * size, Fraction(1, 48_000)
        made += [bytes(packet) for packet in codec.encode(frame)]
    each = 1_000 // packet_ms
    return tuple(made[each : 2 * each])


@dataclass
class Person:
    """Somebody with a clock of their own."""

    place: uuid.UUID = field(default_factory=uuid.uuid4)
    #: What their clock shows at the recording's beginning, in seconds since 1900.
    clock_s: float = 3.9e9
    ppm: float = 0.0

    def local(self, true_s: float) -> float:
        return true_s * (1 + self.ppm / 1e6)

    def true(self, local_s: float) -> float:
        return local_s / (1 + self.ppm / 1e6)

    def event(self, second: int) -> float:
        """When they flash and beep, in seconds of the recording."""
        return self.true(second + EVENT_S)


@dataclass
class Feed:
    """One source, as it reaches the worker. Times in seconds; spans are of the recording."""

    person: Person
    kind: Kind
    stream: int
    spans: tuple[tuple[float, float], ...] = ((0, 1e9),)
    every_s: float = 0.04
    #: From which second of the person's clock on it shows what.
    content: tuple[tuple[float, tuple[bytes, ...]], ...] = ()
    #: From when on its timestamps and sequence numbers begin with these: another SSRC.
    numbering: tuple[tuple[float, int, int], ...] = ((0, 1_000, 100),)
    delay_s: float = 0.03
    jitter_s: float = 0.01
    #: From when on everything takes so much longer.
    detours: tuple[tuple[float, float], ...] = ()
    report_every_s: float = 1.0
    #: How much faster the source counts than its person's clock.
    own_ppm: float = 0.0
    loses: Callable[[int], bool] = lambda number: False
    #: Moments in which nothing was sampled, by the person's clock: from and to. Timestamps count
    #: samples, and lag behind from then on.
    stalls: tuple[tuple[float, float], ...] = ()
    seed: int = 1

    @property
    def source(self) -> Source:
        codec = Codec.OPUS if self.kind is Kind.MICROPHONE else Codec.VP8
        return Source(self.stream, self.person.place, self.kind, codec)

    def records(self, from_s: float, to_s: float) -> Iterator[tuple[float, Record]]:
        """What arrives of what is sent between two moments, with when: seconds of the recording."""
        chance = random.Random(f"{self.stream}/{self.seed}")
        rate = self.source.rate
        person = self.person
        number = max(0, math.ceil(person.local(from_s) / self.every_s))
        reported_s = -1e9
        lost_from: float | None = None
        while True:
            local_s = number * self.every_s
            true_s = person.true(local_s)
            number += 1
            if true_s >= to_s:
                return
            if not any(a <= true_s < b for a, b in self.spans):
                continue
            if any(a <= local_s < b for a, b in self.stalls):
                continue
            _, rtp, sequence = max(n for n in self.numbering if n[0] <= true_s)
            sampled_s = local_s - sum(b - a for a, b in self.stalls if b <= local_s)
            ticks = round(sampled_s * rate * (1 + self.own_ppm / 1e6))
            rtp = (rtp + ticks) % 2**32
            delay_s = self.delay_s + sum(more for since, more in self.detours if since <= true_s)
            arrives_s = true_s + delay_s + chance.expovariate(1 / self.jitter_s)
            if self.report_every_s and true_s - reported_s >= self.report_every_s:
                reported_s = true_s
                ntp = int((person.clock_s + local_s) * 2**32)
                yield arrives_s, Report(self.stream, ntp, rtp, us(arrives_s - from_s))
            if self.loses(number):
                lost_from = true_s if lost_from is None else lost_from
                continue
            if lost_from is not None:
                lost = us(lost_from - from_s), us(arrives_s - from_s)
                yield arrives_s, Gap(self.stream, *lost, GapReason.PACKETS_LOST)
                lost_from = None
            cycle = max((c for c in self.content if c[0] <= local_s), key=lambda c: c[0])[1]
            index = round(local_s / self.every_s) % len(cycle)
            yield (
                arrives_s,
                Frame(
                    self.stream,
                    self.kind is Kind.MICROPHONE or index == 0,
                    rtp,
                    us(arrives_s - from_s),
                    (sequence + number) % 2**16,
                    1,
                    cycle[index],
                ),
            )


def us(seconds: float) -> int:
    return max(0, round(seconds * 1e6))


def camera(person: Person, stream: int = 1, **more: object) -> Feed:
    more.setdefault("content", ((0, pictures()),))
    return Feed(person, Kind.CAMERA, stream, **more)  # type: ignore[arg-type]


def screen(person: Person, stream: int = 3, **more: object) -> Feed:
    more.setdefault("content", ((0, pictures(320, 180)),))
    return Feed(person, Kind.SCREEN, stream, **more)  # type: ignore[arg-type]


def microphone(person: Person, stream: int = 2, **more: object) -> Feed:
    more = {
        "content": ((0, sounds()),),
        "every_s": 0.02,
        "delay_s": 0.02,
        "jitter_s": 0.006,
        "report_every_s": 5.0,
        **more,
    }
    return Feed(person, Kind.MICROPHONE, stream, **more)  # type: ignore[arg-type]


def run(
    feeds: Iterable[Feed],
    to_s: float,
    from_s: float = 0.0,
    *,
    name: uuid.UUID | None = None,
    killed: bool = False,
    wall_s: float | None = None,
) -> Iterator[Segment]:
    """A worker's run from one moment of the recording to another, in segments of a second."""
    feeds = tuple(feeds)
    name = name or uuid.uuid5(uuid.NAMESPACE_OID, f"{from_s}")
    merged = heapq.merge(*(f.records(from_s, to_s) for f in feeds), key=lambda pair: pair[0])
    sequence, held = 0, []
    for arrives_s, record in merged:
        while arrives_s - from_s >= sequence + 1:
            yield _segment(name, sequence, from_s, feeds, held)
            sequence, held = sequence + 1, []
        held.append(record)
    if not killed:
        held.append(Closing(Why.STOPPED))
        yield _segment(name, sequence, from_s, feeds, held)


def _segment(
    name: uuid.UUID, sequence: int, from_s: float, feeds: tuple[Feed, ...], held: list[Record]
) -> Segment:
    # The platform's time is told by messages: it is behind by what they took.
    late_us = sequence * 7_919 % 15_000
    opening = Opening(
        sequence * 1_000_000,
        STARTED_US + us(from_s) + sequence * 1_000_000 - late_us,
        1_000_000,
    )
    return Segment(name, sequence, (opening, *(feed.source for feed in feeds), *held))
