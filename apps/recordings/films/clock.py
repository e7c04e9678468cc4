"""Puts everybody's frames on one clock: microseconds since the recording began.

A frame tells two times: the publisher's RTP timestamp, which is exact and begins anywhere, and when
it arrived at the worker, which is late by whatever the network did. Between them lie three steps.

1. **RTP to the publisher's own clock.** Sender reports say what that clock showed at an RTP
   timestamp. A person's sources share it, so that lips match voices. Between two reports a straight
   line is drawn, which follows any drift; what a microphone never sampled is a step in it
   (``stalls``).
2. **The publisher's clock to the run's.** It may be days off and run faster or slower. A frame
   cannot arrive before it was made, and in any ten seconds some frame hardly waits: a line under
   the delays of all of the person's frames gives both offset and drift.
3. **The run's clock to the recording's.** Each segment says what the platform's time was when it
   began; the median over a run sets it beside other runs.

A stream without reports is laid on the run's clock directly by its arrivals, as in step 2.

Timestamps that jump (a new SSRC, a pause in which they stood still, malice) begin a new **take**,
and so does a person whose clock was set or who came back with another device. A take is measured
for itself (``takes``). Whatever all this gives, a frame is shown at most ``LATEST_US`` before it
arrived and ``EARLIEST_US`` after: nobody's timestamps can put anything far from where it was
recorded.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple, Protocol
from uuid import UUID

from foundation.sealing.records import Frame, Opening, Record, Report, Source
from recordings.films.takes import Knots, Line, Take

#: No recording is this long. What is later is an error of somebody's clock.
LONGEST_US = 86_400_000_000

#: How long a frame may have travelled at most: a stalled relay delivers seconds at once.
LATEST_US = 4_000_000
#: How far a frame's time may lie after its arrival: errors of estimates, and no more.
EARLIEST_US = 200_000

#: RTP time and arrivals that part by more than this between two frames begin a new take.
_JUMP_US = 3_000_000
#: Reports travel as unevenly as frames; a clock that was set moves further.
_CLOCK_SET_US = 1_000_000
#: Whoever jumps more often than this in one run is placed by arrival alone.
_TAKES_MOST = 200
#: Arrivals this far outside their segment are drawn to it.
_ASTRAY_US = 10_000_000

#: By how much a worker's time may be before the platform's.
_EARLY_MOST_US = 60_000_000


class Segment(Protocol):
    """An opened segment, as ``foundation.sealing.reading`` gives it."""

    @property
    def run(self) -> UUID: ...
    @property
    def sequence(self) -> int: ...
    @property
    def records(self) -> Iterable[Record]: ...


class Placed(NamedTuple):
    """A frame as the follower understood it; no ``take`` if its timestamps are not believed."""

    stream: int
    take: int | None
    #: Nothing says that this frame goes on from the one before.
    is_new: bool
    rtp_us: float
    arrival_us: int


class _Stream:
    def __init__(self, number: int, source: Source) -> None:
        self.number = number
        self.source = source
        self.takes = 0
        self.take: Take | None = None
        self.last: Frame | None = None
        self.arrival_us = 0
        self.ticks = 0
        self.early_report: Report | None = None

    def ticks_at(self, rtp: int) -> int:
        """The timestamp, unwrapped: the nearest to the last frame's."""
        last = self.last.rtp if self.last else rtp
        return self.ticks + (rtp - last + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000

    def us(self, ticks: int) -> float:
        return ticks * 1_000_000 / self.source.rate

    def goes_on(self, rtp: int, arrival_us: int) -> bool:
        """Whether this timestamp fits to the last frame's, as time went by."""
        moved_us = self.us(self.ticks_at(rtp) - self.ticks)
        return abs(moved_us - (arrival_us - self.arrival_us)) <= _JUMP_US


@dataclass
class _Person:
    era: int = 0
    ahead_us: int | None = None


class Follower:
    """Follows the records of one run in their order. Both readings cut the same takes by it."""

    def __init__(self) -> None:
        #: Every take of the run, by stream and number; the first reading's result.
        self.takes: dict[tuple[int, int], Take] = {}
        self._streams: dict[Source, _Stream] = {}
        self._by_number: dict[int, _Stream] = {}
        self._people: dict[UUID, _Person] = {}
        self._window = (0, 0)

    def opening(self, opening: Opening) -> None:
        begins = opening.clock_us
        self._window = (begins - _ASTRAY_US, begins + opening.covers_us + _ASTRAY_US)

    def source(self, source: Source) -> None:
        stream = self._streams.get(source)
        if stream is None:
            stream = self._streams[source] = _Stream(len(self._streams), source)
        self._by_number[source.stream] = stream
        self._people.setdefault(source.place, _Person())

    def source_of(self, number: int) -> Source:
        return self._by_number[number].source

    def frame(self, frame: Frame) -> Placed:
        stream = self._by_number[frame.stream]
        arrival_us = self._drawn_in(frame.arrival_us)
        goes_on = stream.last is not None and stream.goes_on(frame.rtp, arrival_us)
        ticks = stream.ticks_at(frame.rtp)
        era = self._people[stream.source.place].era
        is_new = not goes_on and not _follows(stream.last, frame)
        stream.ticks, stream.last, stream.arrival_us = ticks, frame, arrival_us
        rtp_us = stream.us(ticks)
        if stream.take is None or not goes_on or stream.take.era != era:
            self._next_take(stream, era)
        if stream.takes > _TAKES_MOST:
            return Placed(stream.number, None, is_new, rtp_us, arrival_us)
        assert stream.take is not None
        stream.take.arrived(rtp_us, arrival_us)
        return Placed(stream.number, stream.takes, is_new, rtp_us, arrival_us)

    def report(self, report: Report) -> None:
        stream = self._by_number[report.stream]
        arrival_us = self._drawn_in(report.arrival_us)
        person = self._people[stream.source.place]
        publisher_us = _publisher_us(report)
        ahead_us = publisher_us - arrival_us
        if person.ahead_us is not None and abs(ahead_us - person.ahead_us) > _CLOCK_SET_US:
            person.era += 1
        person.ahead_us = ahead_us
        take = stream.take
        if take is None or take.era != person.era or not stream.goes_on(report.rtp, arrival_us):
            stream.early_report = report
        else:
            take.reported(stream.us(stream.ticks_at(report.rtp)), publisher_us)

    def _next_take(self, stream: _Stream, era: int) -> None:
        """Begins a take at the frame that came just now; a report may have been before it."""
        if stream.takes <= _TAKES_MOST:
            stream.takes += 1
        if stream.take is not None:
            stream.take.ended()
        stream.take = Take(stream.source, era)
        if stream.takes <= _TAKES_MOST:
            self.takes[stream.number, stream.takes] = stream.take
        report, stream.early_report = stream.early_report, None
        if report is not None and stream.goes_on(report.rtp, self._drawn_in(report.arrival_us)):
            stream.take.reported(stream.us(stream.ticks_at(report.rtp)), _publisher_us(report))

    def _drawn_in(self, arrival_us: int) -> int:
        return min(max(arrival_us, self._window[0]), self._window[1])


def _follows(last: Frame | None, frame: Frame) -> bool:
    return last is not None and (last.sequence + last.packets - frame.sequence) % 0x1_0000 == 0


def _publisher_us(report: Report) -> int:
    return report.ntp * 1_000_000 >> 32


def floor_ms(at_us: int) -> int:
    """Milliseconds of the recording, within the longest there is."""
    return min(max(at_us, 0), LONGEST_US) // 1_000


def ceil_ms(at_us: int) -> int:
    """As ``floor_ms``, rounded up."""
    return -(-min(max(at_us, 0), LONGEST_US) // 1_000)


@dataclass
class RunClock:
    """One run's frames on the recording's clock."""

    offset_us: int
    takes: dict[tuple[int, int], tuple[Knots, Line]]

    def at_us(self, placed: Placed) -> int:
        """When a frame was made: µs since the recording began, perhaps a little below 0."""
        at_us = float(placed.arrival_us)
        if placed.take is not None:
            knots, line = self.takes[placed.stream, placed.take]
            made = knots.publisher_us(placed.rtp_us)
            earliest, latest = placed.arrival_us - LATEST_US, placed.arrival_us + EARLIEST_US
            at_us = min(max(made + line.at(made), earliest), latest)
        return round(at_us) + self.offset_us


@dataclass
class _Run:
    follower: Follower = field(default_factory=Follower)
    #: The platform's time less the run's clock, at each opening.
    ahead: array[float] = field(default_factory=lambda: array("d"))
    begins_us: int = 0


class Estimate:
    """The first reading: give it every record of every run; ``clocks`` then tells each run's."""

    def __init__(self) -> None:
        self._runs: dict[UUID, _Run] = {}

    def read(self, segment: Segment) -> None:
        run = self._runs.get(segment.run)
        if run is None:
            run = self._runs[segment.run] = _Run()
        for record in segment.records:
            match record:
                case Frame():
                    run.follower.frame(record)
                case Report():
                    run.follower.report(record)
                case Source():
                    run.follower.source(record)
                case Opening():
                    if not run.ahead:
                        run.begins_us = record.clock_us
                    run.ahead.append(record.wall_us - record.clock_us)
                    run.follower.opening(record)

    def clocks(self, started_us: int | None) -> dict[UUID, RunClock]:
        """``started_us`` is when the recording began, since 1970: from there its clock counts.

        A run that began a little earlier by its worker's account pushes the beginning forward, so
        that nothing of it comes before 0. One that claims far more is not believed.
        """
        ahead = {name: round(median(run.ahead)) for name, run in self._runs.items()}
        begins = [ahead[name] + run.begins_us for name, run in self._runs.items()]
        if started_us is not None:
            begins = [started_us, *(b for b in begins if b >= started_us - _EARLY_MOST_US)]
        origin = min(begins, default=0)
        return {
            name: RunClock(ahead[name] - origin, _measured(run.follower))
            for name, run in self._runs.items()
        }


def _measured(follower: Follower) -> dict[tuple[int, int], tuple[Knots, Line]]:
    """For each take its publisher's clock, and the line that lays it on the run's."""
    all_knots = {name: take.knots() for name, take in follower.takes.items()}
    delays: dict[object, list[tuple[float, float]]] = {}
    for name, take in follower.takes.items():
        delays.setdefault(_clock_of(name, take), []).extend(_delays(all_knots[name], take))
    lines = {clock: Line(points) for clock, points in delays.items()}
    return {
        name: (all_knots[name], lines[_clock_of(name, take)])
        for name, take in follower.takes.items()
    }


def _clock_of(name: tuple[int, int], take: Take) -> tuple[object, int]:
    """Takes with reports share their person's clock; any other has its own."""
    return (take.place, take.era) if take.is_reported else name


def _delays(knots: Knots, take: Take) -> Iterator[tuple[float, float]]:
    for rtp_us, arrival_us in take.least_delayed():
        made_us = knots.publisher_us(rtp_us)
        yield made_us, arrival_us - made_us
