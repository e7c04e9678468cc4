"""Whatever clocks do: lips match voices, and people match each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from recordings.films.plan import Film, Segments
from tests.recordings.films import look
from tests.recordings.films.studio import DAY_S, Feed, Person, camera, microphone, run

Made = Callable[[Segments], list[tuple[Film, Path]]]

#: What people do not notice: sound after its picture, and before it (EBU R 37).
LATE_S, EARLY_S = 0.060, 0.040


def skew(film: Film, path: Path, person: Person, seconds: Iterable[int]) -> None:
    """Fails if a flash and its beep part, or either is far from when it happened."""
    for second in seconds:
        happened = person.event(second) - film.starts_ms / 1_000
        seen = look.events(path, happened - 0.4, happened + 0.4)
        assert len(seen.flashes) == 1, (second, seen)
        assert len(seen.beeps) == 1, (second, seen)
        assert -EARLY_S <= seen.beeps[0] - seen.flashes[0] <= LATE_S, (second, seen)
        # Between them lies only what the fastest frame needed to the worker.
        assert -0.02 <= seen.flashes[0] - happened <= 0.08, (second, seen, happened)


def both(person: Person, **more: object) -> list[Feed]:
    return [camera(person, **more), microphone(person, **more)]


@pytest.mark.parametrize("days", [-20 * 365, -3.25, 0, 0.0002, 400])
def test_a_persons_clock_may_show_any_time(made: Made, days: float) -> None:
    person = Person(clock_s=3.9e9 + days * DAY_S)
    feeds = both(person)
    [(film, path)] = made(lambda: run(feeds, 8))
    skew(film, path, person, range(1, 7))


def test_lips_match_though_the_picture_travels_far_longer_than_the_voice(made: Made) -> None:
    person = Person()
    feeds = [camera(person, delay_s=0.18), microphone(person)]
    [(film, path)] = made(lambda: run(feeds, 12))
    skew(film, path, person, range(1, 11))


def test_reports_are_what_matches_them(made: Made) -> None:
    """The same as above without reports: now arrival decides, and shows."""
    person = Person()
    feeds = [camera(person, delay_s=0.18, report_every_s=0), microphone(person, report_every_s=0)]
    [(_, path)] = made(lambda: run(feeds, 12))
    seen = look.events(path)
    for flash, beep in zip(seen.flashes[1:], seen.beeps[1:], strict=True):
        assert 0.12 <= flash - beep <= 0.2


def test_without_reports_arrival_is_good_enough(made: Made) -> None:
    person = Person()
    feeds = both(person, report_every_s=0)
    [(film, path)] = made(lambda: run(feeds, 12))
    skew(film, path, person, range(1, 11))


def test_the_voice_may_be_there_before_its_first_report(made: Made) -> None:
    """A recording that ends before the microphone's second report, and one begun in between."""
    person = Person()
    feeds = both(person)
    [(film, path)] = made(lambda: run(feeds, 3.5))
    skew(film, path, person, range(1, 3))


@pytest.mark.parametrize(
    "stalls",
    [
        pytest.param(((6.6, 7.0),), id="one"),
        pytest.param(((6.12, 6.34), (7.56, 7.68), (9.0, 9.14)), id="three between two reports"),
        pytest.param(tuple((5.7 + n / 8, 5.714 + n / 8) for n in range(32)), id="bit by bit"),
        pytest.param(((9.9, 10.3),), id="while a report was due"),
        pytest.param(((5.1, 5.4), (10.7, 11.1)), id="one after the other"),
    ],
)
def test_a_starved_microphone_loses_samples_and_no_time(
    made: Made, stalls: tuple[tuple[float, float], ...]
) -> None:
    person = Person()
    feeds = [camera(person), microphone(person, stalls=stalls)]
    [(film, path)] = made(lambda: run(feeds, 20))
    skew(film, path, person, range(1, 19))


@pytest.mark.parametrize("late", [(0.0, 2.5), (16.0, 20.0), (6.0, 7.0)])
def test_a_worker_that_hears_late_for_a_while_is_no_stall(
    made: Made, late: tuple[float, float]
) -> None:
    """Nor is one that never catches up before the recording ends."""
    person = Person()
    began, ended = late
    feeds = [
        camera(person, detours=((began, 0.25), (ended, -0.25))),
        microphone(person, detours=((began, 0.25), (ended, -0.25))),
    ]
    [(film, path)] = made(lambda: run(feeds, 20))
    skew(film, path, person, range(1, 16))


def test_a_way_that_becomes_longer_is_no_stall(made: Made) -> None:
    """Nothing of it is in the reports: sound and picture stay where they were made."""
    person = Person()
    feeds = [camera(person), microphone(person, detours=((7.7, 0.15),))]
    [(film, path)] = made(lambda: run(feeds, 17))
    skew(film, path, person, range(1, 14))


def test_numbers_wrap(made: Made) -> None:
    person = Person()
    feeds = [
        camera(person, numbering=((0, 2**32 - 4 * 90_000, 65_500),)),
        microphone(person, numbering=((0, 2**32 - 3 * 48_000, 65_400),)),
    ]
    [(film, path)] = made(lambda: run(feeds, 10))
    assert film.left_out == {}
    skew(film, path, person, range(1, 9))


def test_a_new_ssrc_goes_on_where_the_old_one_was(made: Made) -> None:
    person = Person()
    feeds = [
        camera(person, numbering=((0, 5, 9), (6, 3_000_000_000, 40_000))),
        microphone(person, numbering=((0, 77, 1), (6, 2_000_000_000, 30_000))),
    ]
    [(film, path)] = made(lambda: run(feeds, 14))
    assert film.left_out == {}
    skew(film, path, person, range(1, 13))


def test_a_person_may_come_back_with_another_device(made: Made) -> None:
    """Another clock, other numbers, the same place."""
    first = Person(clock_s=3.9e9)
    second = Person(place=first.place, clock_s=3.9e9 + 9 * DAY_S)
    feeds = [
        camera(first, 1, spans=((0, 6),)),
        microphone(first, 2, spans=((0, 6),)),
        camera(second, 4, spans=((8, 30),), numbering=((0, 7_654_321, 7),)),
        microphone(second, 5, spans=((8, 30),), numbering=((0, 1_234_567, 8),)),
    ]
    [(film, path)] = made(lambda: run(feeds, 16))
    skew(film, path, first, range(1, 5))
    skew(film, path, second, range(9, 15))


def test_a_clock_that_is_set_in_the_middle_tears_nothing_apart(made: Made) -> None:
    before = Person(clock_s=3.9e9)
    after = Person(place=before.place, clock_s=3.9e9 - 3_600)
    feeds = [
        camera(before, 1, spans=((0, 7),)),
        microphone(before, 2, spans=((0, 7),)),
        # The same streams go on, numbers and all; only the clock in their reports is another.
        camera(after, 1, spans=((7, 30),)),
        microphone(after, 2, spans=((7, 30),)),
    ]
    [(film, path)] = made(lambda: run(feeds, 20))
    assert film.left_out == {}
    skew(film, path, before, [*range(1, 7), *range(8, 19)])


def test_three_people_flash_together(made: Made) -> None:
    people = [
        Person(clock_s=3.9e9),
        Person(clock_s=3.9e9 + 2 * DAY_S, ppm=200),
        Person(clock_s=1e9, ppm=-200),
    ]
    feeds = [
        feed
        for number, person in enumerate(people)
        for feed in (
            camera(person, 10 * number + 1, delay_s=0.02 + 0.02 * number, seed=number),
            microphone(person, 10 * number + 2, delay_s=0.015 + 0.02 * number, seed=number),
        )
    ]
    films = made(lambda: run(feeds, 12))
    assert len(films) == 3
    by_place = {film.place: (film, path) for film, path in films}
    when = []
    for person in people:
        film, path = by_place[person.place]
        skew(film, path, person, range(2, 10, 3))
        when.append([flash + film.starts_ms / 1_000 for flash in look.events(path).flashes])
    for together in zip(*(flashes[-8:] for flashes in when), strict=True):
        assert max(together) - min(together) <= 0.1
