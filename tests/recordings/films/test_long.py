"""Long recordings: clocks that drift all the while, and no memory that grows with the length."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from foundation.sealing.records import Codec, Frame, Kind, Opening, Record, Report, Source
from recordings.films.plan import plan, write
from tests.recordings.films import look, studio
from tests.recordings.films.studio import DAY_S, Person, Segment, camera, microphone, run
from tests.recordings.films.test_lips import skew

HOUR_S = 3_600


def test_after_an_hour_of_drift_lips_match_and_people_do(tmp_path: Path) -> None:
    # Everybody is there for twelve seconds every five minutes: the clocks run on in between.
    there = tuple((float(at), at + 12.0) for at in range(0, HOUR_S + 1, 300))
    drifting = Person(clock_s=3.9e9 + 5 * DAY_S, ppm=200)
    steady = Person()
    feeds = [
        camera(drifting, 1, spans=there),
        # Its sound card has a crystal of its own, which gains 360 ms in this hour.
        microphone(drifting, 2, spans=there, own_ppm=100),
        camera(steady, 11, spans=there),
    ]

    def segments() -> Iterator[Segment]:
        return run(feeds, HOUR_S + 12)

    when = []
    for film in plan(segments, studio.STARTED_US).films:
        path = tmp_path / f"{film.place}.webm"
        with path.open("wb") as file:
            file.writelines(write(film, segments))
        assert abs(film.duration_ms - (HOUR_S + 12) * 1_000) < 800
        if film.place == drifting.place:
            skew(film, path, drifting, [3, 608, 1_803, 3_005, HOUR_S + 5])
        expected = (drifting if film.place == drifting.place else steady).event(HOUR_S + 5)
        near = expected - film.starts_ms / 1_000
        [flash] = look.events(path, near - 0.4, near + 0.4).flashes
        when.append(flash - near)
    assert abs(when[0] - when[1]) <= 0.1, when


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1_024  # type: ignore[index]


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def test_half_an_hour_is_planned_and_written_in_little_memory() -> None:
    run_of_it, camera_of_it = uuid.uuid4(), studio.camera(Person()).source
    sound_of_it = Source(2, camera_of_it.place, Kind.MICROPHONE, Codec.OPUS)
    # A key frame a second; each picture a fifth of a second and 20 kB: 800 kbit/s.
    large = tuple(picture + bytes(20_000) for picture in studio.pictures(fps=5))

    def segments() -> Iterator[Segment]:
        for second in range(HOUR_S // 2):
            at_us = second * 1_000_000
            records: list[Record] = [
                Opening(at_us, studio.STARTED_US + at_us, 1_000_000),
                camera_of_it,
                sound_of_it,
                Report(1, (1_000 + second) << 32, second * 90_000 % 2**32, at_us + 30_000),
            ]
            for tenth in range(10):
                arrival_us = at_us + tenth * 100_000 + 20_000 + second % 7 * 1_000
                rtp = (second * 48_000 + tenth * 4_800) % 2**32
                sound = studio.sounds()[tenth * 5]
                records.append(Frame(2, True, rtp, arrival_us, 0, 1, sound))
                if tenth % 2 == 0:
                    rtp, index = (second * 90_000 + tenth * 9_000) % 2**32, tenth // 2
                    records.append(Frame(1, index == 0, rtp, arrival_us, 0, 1, large[index]))
            yield Segment(run_of_it, second, tuple(records))

    studio.sounds()
    _forget_peak()
    before = _peak_mb()
    began = time.monotonic()
    [film] = plan(segments, studio.STARTED_US).films
    planned = time.monotonic()
    planning_mb = _peak_mb() - before
    assert film.plaintext_bytes > 175_000_000
    _forget_peak()
    size = sum(len(piece) for piece in write(film, segments))
    written = time.monotonic()
    writing_mb = _peak_mb() - before
    print(
        f"{size / 1e6:.0f} MB: planned in {planned - began:.1f} s with {planning_mb:.1f} MB, "
        f"written in {written - planned:.1f} s with {writing_mb:.1f} MB"
    )
    assert size == film.plaintext_bytes
    assert planning_mb < 12
    assert writing_mb < 12
