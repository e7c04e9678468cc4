"""Which films a recording gives, and each film as a stream of bytes.

``plan`` reads all segments twice, ``write`` once for each film. What ``plan`` says of a film's
length is what ``write`` gives, byte for byte, as long as the segments are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from foundation.sealing import records
from foundation.sealing.records import Closing, Frame, Kind, Opening, Protection, Report, Source
from recordings.films import gaps, webm
from recordings.films.clock import Estimate, Follower, RunClock, Segment, ceil_ms, floor_ms
from recordings.films.gaps import Gap
from recordings.films.reel import Reel, Shot

#: All segments of a recording, runs in the roll's order; called anew for every reading.
Segments = Callable[[], Iterable[Segment]]


class FramesAreProtected(ValueError):
    """Frames are SFrame ciphertext. Films of sealed meetings are not made here."""


class SegmentsChanged(RuntimeError):
    """The segments are not those that were planned: the film has another length."""


@dataclass(frozen=True, slots=True)
class Film:
    """A film that can be written: one place's camera and microphone, or its screen."""

    place: UUID
    #: What is in it: of ``camera``, ``microphone``, ``screen``; sorted.
    sources: tuple[str, ...]
    #: When it begins, in milliseconds since the recording began.
    starts_ms: int
    duration_ms: int
    #: Exactly what ``write`` gives.
    plaintext_bytes: int
    #: Frames that are not in it, by reason.
    left_out: dict[str, int]
    _is_screen: bool = field(repr=False)
    _head: bytes = field(repr=False)
    _clocks: dict[UUID, RunClock] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run as its segments tell it, in milliseconds since the recording began."""

    run: UUID
    segments: int
    from_ms: int
    to_ms: int
    #: It was closed; otherwise its worker died.
    is_finished: bool


@dataclass(frozen=True, slots=True)
class Plan:
    films: tuple[Film, ...]
    gaps: tuple[Gap, ...]
    runs: tuple[RunSeen, ...]
    duration_ms: int


def plan(segments: Segments, started_us: int | None = None) -> Plan:
    """What there is to write. ``started_us``: when the recording began, in µs since 1970.

    ``FramesAreProtected``: somebody's frames cannot be looked into.
    """
    estimate, runs = Estimate(), dict[UUID, _RunNotes]()
    for segment in segments():
        estimate.read(segment)
        runs.setdefault(segment.run, _RunNotes()).read(segment)
    clocks = estimate.clocks(started_us)
    measures: dict[tuple[UUID, bool], _Measure] = {}
    for shot in _shots(segments, clocks):
        if shot is None:
            for measure in measures.values():
                measure.run_ends()
        else:
            measures.setdefault(_film_of(shot.source), _Measure()).add(shot)
    films = [
        measure.film(place, is_screen, clocks)
        for (place, is_screen), measure in measures.items()
        if measure.clusters.tracks
    ]
    seen = tuple(notes.seen(run, clocks[run].offset_us) for run, notes in runs.items())
    missing = [gap for run, n in runs.items() for gap in n.gaps.on_recording(clocks[run].offset_us)]
    missing += gaps.between(
        (n.begins_us + clocks[run].offset_us, n.ends_us + clocks[run].offset_us)
        for run, n in runs.items()
    )
    return Plan(
        films=tuple(sorted(films, key=lambda f: (f.starts_ms, f.place, f.sources))),
        gaps=gaps.in_order(missing),
        runs=seen,
        duration_ms=max((run.to_ms for run in seen), default=0),
    )


def write(film: Film, segments: Segments) -> Iterator[bytes]:
    """The film, in pieces of about a megabyte; together ``film.plaintext_bytes``.

    ``SegmentsChanged``: the segments give another film than was planned. What was given until then
    is to be thrown away.
    """
    left = film.plaintext_bytes - len(film._head)  # noqa: SLF001 (what a film keeps for this)
    yield film._head  # noqa: SLF001
    reel, clusters = Reel(), webm.Clusters()
    wanted = (film.place, film._is_screen)  # noqa: SLF001
    for shot in _shots(segments, film._clocks, wanted):  # noqa: SLF001
        for block in reel.finish() if shot is None else reel.add(shot):
            piece = clusters.add(block._replace(at_ms=block.at_ms - film.starts_ms))
            left -= len(piece)
            if left < 0:
                raise SegmentsChanged
            if piece:
                yield piece
    piece = clusters.finish()
    if left != len(piece):
        raise SegmentsChanged
    if piece:
        yield piece


def _film_of(source: Source) -> tuple[UUID, bool]:
    return source.place, source.kind is Kind.SCREEN


def _shots(
    segments: Segments,
    clocks: dict[UUID, RunClock],
    wanted: tuple[UUID, bool] | None = None,
) -> Iterator[Shot | None]:
    """Every frame of the films that are wanted, as it arrived; None where a run ends."""
    run, number = None, -1
    follower, clock = Follower(), None
    for segment in segments():
        if segment.run != run:
            if run is not None:
                yield None
            run, number, follower = segment.run, number + 1, Follower()
            clock = clocks.get(segment.run)
            if clock is None:
                raise SegmentsChanged
        assert clock is not None
        for record in segment.records:
            match record:
                case Frame():
                    source = follower.source_of(record.stream)
                    if wanted is not None and wanted != _film_of(source):
                        continue  # a stream is followed by its own frames and its person's reports
                    placed = follower.frame(record)
                    yield Shot(
                        source,
                        (number, placed.stream),
                        placed.is_new,
                        clock.at_us(placed),
                        placed.arrival_us + clock.offset_us,
                        record,
                    )
                case Report():
                    follower.report(record)
                case Source():
                    follower.source(record)
                case Opening():
                    follower.opening(record)
    yield None


class _Measure:
    """One film of the second reading: everything is done but keeping the bytes."""

    def __init__(self) -> None:
        self.reel, self.clusters = Reel(), webm.Clusters()
        self.starts_ms: int | None = None

    def add(self, shot: Shot) -> None:
        self._group(self.reel.add(shot))

    def run_ends(self) -> None:
        self._group(self.reel.finish())

    def _group(self, blocks: Iterable[webm.Block]) -> None:
        for block in blocks:
            if self.starts_ms is None:
                self.starts_ms = block.at_ms
            self.clusters.add(block._replace(at_ms=block.at_ms - self.starts_ms))

    def film(self, place: UUID, is_screen: bool, clocks: dict[UUID, RunClock]) -> Film:
        self.clusters.finish()
        assert self.starts_ms is not None
        head = webm.head(self.clusters, *self.reel.picture_size)
        picture = "screen" if is_screen else "camera"
        names = {webm.Track.PICTURE: picture, webm.Track.SOUND: "microphone"}
        return Film(
            place=place,
            sources=tuple(sorted(names[track] for track in self.clusters.tracks)),
            starts_ms=self.starts_ms,
            duration_ms=self.clusters.ends_ms,
            plaintext_bytes=len(head) + self.clusters.size,
            left_out=dict(self.reel.left_out),
            _is_screen=is_screen,
            _head=head,
            _clocks=clocks,
        )


class _RunNotes:
    """What a run tells besides its frames."""

    def __init__(self) -> None:
        self.segments = 0
        self.begins_us: int = 0
        self.ends_us = 0
        self.is_finished = False
        self.gaps = gaps.Gaps()

    def read(self, segment: Segment) -> None:
        self.segments += 1
        sources: dict[int, Source] = {}
        for record in segment.records:
            match record:
                case Opening():
                    if self.segments == 1:
                        self.begins_us = record.clock_us
                    self.ends_us = max(self.ends_us, record.clock_us + record.covers_us)
                case Source():
                    if record.protection is not Protection.NONE:
                        raise FramesAreProtected
                    sources[record.stream] = record
                case records.Gap():
                    self.gaps.add(record, sources)
                case Closing():
                    self.is_finished = True

    def seen(self, run: UUID, offset_us: int) -> RunSeen:
        return RunSeen(
            run,
            self.segments,
            floor_ms(self.begins_us + offset_us),
            ceil_ms(self.ends_us + offset_us),
            self.is_finished,
        )
