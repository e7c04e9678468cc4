"""People send what they like. A film is made all the same, and it is never longer than the call."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.sealing.records import (
    Codec,
    Frame,
    Gap,
    GapReason,
    Kind,
    Opening,
    Record,
    Report,
    Source,
)
from recordings.films.plan import Film, Segments, plan, write
from tests.recordings.films import look, studio
from tests.recordings.films.studio import Person, Segment, camera, microphone, run
from tests.recordings.films.test_lips import skew

Made = Callable[[Segments], list[tuple[Film, Path]]]


def changed(
    segments: Iterable[Segment], change: Callable[[Record], Iterable[Record]]
) -> list[Segment]:
    return [s._replace(records=tuple(r for q in s.records for r in change(q))) for s in segments]


def written(film: Film, segments: Segments) -> bytes:
    data = b"".join(write(film, segments))
    assert len(data) == film.plaintext_bytes
    return data


def call(seconds: float = 10) -> tuple[Person, list[Segment]]:
    person = Person()
    return person, list(run([camera(person), microphone(person)], seconds))


@pytest.mark.parametrize(
    "payload",
    [
        b"\0",
        b"\xff" * 200,
        bytes(2_000),
        b"\x30\x00\x00\x9d\x01\x2a\x00\x00\x00\x00" + bytes(50),
        b"\x30\x01\x00\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(500),
        b"\x1a\x45\xdf\xa3" * 30,
    ],
)
def test_what_is_no_picture_is_left_out_until_the_next_key_frame(
    made: Made, payload: bytes
) -> None:
    person, segments = call()

    def change(record: Record) -> Iterable[Record]:
        is_hit = isinstance(record, Frame) and record.stream == 1
        if is_hit and 4_000_000 < record.arrival_us < 5_000_000:
            record = replace(record, payload=payload, key=True)
        return (record,)

    spoiled = changed(segments, change)
    [(film, path)] = made(lambda: spoiled)
    assert film.left_out["not a frame"] >= 23
    assert len(look.packets(path, "v")) == 250 - sum(film.left_out.values())
    skew(film, path, person, [2, 7])


def test_a_camera_that_sends_no_picture_at_all_leaves_a_voice(made: Made) -> None:
    _, segments = call()
    noise = random.Random(1)

    def change(record: Record) -> Iterable[Record]:
        if isinstance(record, Frame) and record.stream == 1:
            record = replace(record, payload=noise.randbytes(30))
        return (record,)

    spoiled = changed(segments, change)
    [(film, _)] = made(lambda: spoiled)
    assert film.sources == ("microphone",)


def test_noise_instead_of_sound_makes_no_film_that_cannot_be_read(tmp_path: Path) -> None:
    _, segments = call()
    noise = random.Random(2)

    def change(record: Record) -> Iterable[Record]:
        if isinstance(record, Frame) and record.stream == 2:
            record = replace(record, payload=noise.randbytes(noise.randrange(1, 1_500)))
        return (record,)

    spoiled = changed(segments, change)
    [film] = plan(lambda: spoiled, studio.STARTED_US).films
    path = tmp_path / "noise.webm"
    path.write_bytes(written(film, lambda: spoiled))
    assert film.left_out["not a frame"] > 50
    assert len(look.packets(path, "v")) == 250


@pytest.mark.parametrize("kind", [1, 2])
def test_one_frame_alone_is_a_film(made: Made, kind: int) -> None:
    _, segments = call()
    found = 0

    def change(record: Record) -> Iterable[Record]:
        nonlocal found
        if isinstance(record, Report):
            return ()
        if isinstance(record, Frame):
            found += record.stream == kind
            return (record,) if record.stream == kind and found == 1 else ()
        return (record,)

    alone = changed(segments, change)
    [(film, path)] = made(lambda: alone)
    assert len(look.packets(path, "v" if kind == 1 else "a")) == 1
    assert 20 <= film.duration_ms <= 33


JUMPS: dict[str, Callable[[int, int], int]] = {
    "backwards": lambda n, rtp: -rtp,
    "anything": lambda n, rtp: n * 2_654_435_761,
    "still": lambda n, rtp: 7,
    "an hour further each time": lambda n, rtp: rtp + n * 3_600 * 90_000,
    "half the range": lambda n, rtp: rtp + n * 2**31,
    "ten times as fast": lambda n, rtp: rtp * 10,
    "to and fro": lambda n, rtp: rtp + n % 2 * 5 * 90_000,
}


@pytest.mark.parametrize("jump", JUMPS)
def test_timestamps_that_jump_leave_the_film_as_long_as_the_call(made: Made, jump: str) -> None:
    _, segments = call()
    count = 0

    def change(record: Record) -> Iterable[Record]:
        nonlocal count
        if isinstance(record, Frame):
            count += 1
            record = replace(record, rtp=JUMPS[jump](count, record.rtp) % 2**32)
        return (record,)

    spoiled = changed(segments, change)
    [(film, path)] = made(lambda: spoiled)
    assert film.duration_ms <= 10_500
    times = [at for at, _ in look.packets(path, "a")]
    assert times == sorted(set(times))
    # Nobody is silenced by it.
    assert len(times) >= 250, film.left_out


@pytest.mark.parametrize("ntp", [0, 2**64 - 1, None])
def test_reports_that_lie_move_nothing_far(made: Made, ntp: int | None) -> None:
    _, segments = call()
    noise = random.Random(3)

    def change(record: Record) -> Iterable[Record]:
        if isinstance(record, Report):
            record = replace(record, ntp=noise.getrandbits(64) if ntp is None else ntp)
        return (record,)

    spoiled = changed(segments, change)
    [(film, path)] = made(lambda: spoiled)
    assert film.duration_ms <= 10_500
    assert len(look.packets(path, "a")) >= 450, film.left_out


def test_one_persons_lies_move_nobody_else(made: Made) -> None:
    liar, honest = Person(), Person()
    feeds = [camera(liar, 1), microphone(liar, 2), camera(honest, 3), microphone(honest, 4)]
    noise = random.Random(4)

    def change(record: Record) -> Iterable[Record]:
        if isinstance(record, Frame) and record.stream < 3:
            record = replace(record, rtp=noise.getrandbits(32))
        if isinstance(record, Report) and record.stream < 3:
            record = replace(record, ntp=noise.getrandbits(64))
        return (record,)

    spoiled = changed(run(feeds, 10), change)
    films = made(lambda: spoiled)
    [(film, path)] = [(f, p) for f, p in films if f.place == honest.place]
    assert film.left_out == {}
    skew(film, path, honest, [2, 8])


def test_a_flood_of_frames_at_one_moment_does_not_push_time_forward() -> None:
    _, segments = call()

    def change(record: Record) -> Iterable[Record]:
        return (record,) * 40 if isinstance(record, Frame) else (record,)

    flood = changed(segments, change)
    [film] = plan(lambda: flood, studio.STARTED_US).films
    assert film.duration_ms <= 10_500
    assert film.left_out["out of time"] > 0
    written(film, lambda: flood)


@pytest.mark.parametrize("clock_us", [0, 2**63, 2**64 - 1])
@pytest.mark.parametrize("wall_us", [0, studio.STARTED_US, 2**64 - 1])
def test_a_run_with_an_impossible_clock_spoils_no_other(clock_us: int, wall_us: int) -> None:
    _, segments = call(4)
    [alone] = plan(lambda: segments, studio.STARTED_US).films
    source = Source(1, uuid.uuid4(), Kind.CAMERA, Codec.VP8)
    mad = Segment(
        uuid.uuid4(),
        0,
        (
            Opening(clock_us, wall_us, 10_000_000),
            source,
            Frame(1, True, 5, 2**64 - 1, 0, 1, studio.pictures()[0]),
            Report(1, 0, 0, 2**64 - 1),
            Gap(1, 0, 2**64 - 1, GapReason.PACKETS_LOST),
        ),
    )
    both = [mad, *segments]
    planned = plan(lambda: both, studio.STARTED_US)
    [film] = [f for f in planned.films if f.place == alone.place]
    assert film.duration_ms == alone.duration_ms
    assert film.starts_ms == alone.starts_ms
    assert all(0 <= g.from_ms <= g.to_ms <= 86_400_000 for g in planned.gaps)
    for each in planned.films:
        written(each, lambda: both)


_payloads = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.sampled_from([*studio.pictures()[:3], *studio.sounds()[:2]]),
)
_times = st.one_of(st.integers(0, 5_000_000), st.integers(0, 2**64 - 1))
_frames = st.builds(
    Frame,
    stream=st.integers(0, 3),
    key=st.just(True),
    rtp=st.integers(0, 2**32 - 1),
    arrival_us=_times,
    sequence=st.integers(0, 2**16 - 1),
    packets=st.integers(1, 2**16 - 1),
    payload=_payloads,
)
_reports = st.builds(
    Report,
    stream=st.integers(0, 3),
    ntp=st.integers(0, 2**64 - 1),
    rtp=st.integers(0, 2**32 - 1),
    arrival_us=_times,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(st.one_of(_frames, _reports), max_size=30), min_size=1, max_size=5))
def test_nothing_that_can_be_in_a_segment_breaks_a_plan(rows: list[list[Record]]) -> None:
    place, name = uuid.UUID(int=1), uuid.UUID(int=2)
    kinds = (Kind.MICROPHONE, Kind.CAMERA, Kind.SCREEN, Kind.CAMERA)
    sources = tuple(
        Source(n, place, kind, Codec.OPUS if kind is Kind.MICROPHONE else Codec.VP8)
        for n, kind in enumerate(kinds)
    )
    segments = [
        Segment(
            name,
            n,
            (
                Opening(n * 1_000_000, studio.STARTED_US + n * 1_000_000, 1_000_000),
                *sources,
                *row,
            ),
        )
        for n, row in enumerate(rows)
    ]
    for film in plan(lambda: segments, studio.STARTED_US).films:
        assert film.starts_ms + film.duration_ms <= (len(rows) + 10) * 1_000 + 500
        written(film, lambda: segments)
