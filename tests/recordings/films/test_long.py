"""Two hours, as real ones: clocks that drift all the while, and no memory that grows with them."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recordings.films.plan import plan, write
from tests.recordings.films import look, studio
from tests.recordings.films.studio import DAY_S, Person, Segment, camera, microphone, run
from tests.recordings.films.test_lips import skew

HOUR_S = 3_600


def test_after_an_hour_of_drift_lips_match_and_people_do(tmp_path: Path) -> None:
    # Ten pictures and seventeen long packets a second, so that an hour is short.
    drifting = Person(clock_s=3.9e9 + 5 * DAY_S, ppm=200)
    steady = Person()
    slow = {"content": ((0, studio.pictures(fps=10)),), "every_s": 0.1, "report_every_s": 2.0}
    low = {"content": ((0, studio.sounds(40)),), "every_s": 0.04}
    feeds = [
        camera(drifting, 1, **slow),
        # Its sound card runs on a crystal of its own: six seconds in a day, 360 ms in this hour.
        microphone(drifting, 2, own_ppm=100, **low),
        camera(steady, 11, **slow),
    ]

    def segments() -> Iterator[Segment]:
        return run(feeds, HOUR_S + 10)

    when = []
    for film in plan(segments, studio.STARTED_US).films:
        path = tmp_path / f"{film.place}.webm"
        with path.open("wb") as file:
            file.writelines(write(film, segments))
        assert abs(film.duration_ms - (HOUR_S + 10) * 1_000) < 300
        if film.place == drifting.place:
            skew(film, path, drifting, [3, 600, 1_800, 3_000, HOUR_S])
        expected = (drifting if film.place == drifting.place else steady).event(HOUR_S)
        near = expected - film.starts_ms / 1_000
        [flash] = look.events(path, near - 0.4, near + 0.4).flashes
        when.append(flash - near)
    assert abs(when[0] - when[1]) <= 0.1, when


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1_024  # type: ignore[index]


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells peaks")
def test_two_hours_are_planned_and_written_in_little_memory() -> None:
    person = Person()
    # A key frame a second; each picture a tenth of a second and 10 kB: 800 kbit/s, 730 MB in all.
    large = tuple(picture + bytes(10_000) for picture in studio.pictures(fps=10))
    feeds = [
        camera(person, content=((0, large),), every_s=0.1),
        microphone(person, content=((0, studio.sounds(40)),), every_s=0.04),
    ]

    def segments() -> Iterator[Segment]:
        return run(feeds, 2 * HOUR_S)

    # What generating them costs is not what is measured.
    for segment in itertools.islice(segments(), 20):
        assert segment.records
    _forget_peak()
    before = _peak_mb()
    began = time.monotonic()
    [film] = plan(segments, studio.STARTED_US).films
    planned = time.monotonic()
    planning_mb = _peak_mb() - before
    assert film.plaintext_bytes > 700_000_000
    _forget_peak()
    size = sum(len(piece) for piece in write(film, segments))
    written = time.monotonic()
    writing_mb = _peak_mb() - before
    print(
        f"{size / 1e6:.0f} MB: planned in {planned - began:.1f} s with {planning_mb:.1f} MB, "
        f"written in {written - planned:.1f} s with {writing_mb:.1f} MB (pid {os.getpid()})"
    )
    assert size == film.plaintext_bytes
    assert planning_mb < 32
    assert writing_mb < 32
