"""Which films a recording gives, and what others find in them."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.sealing.records import (
    EVERY_STREAM,
    Codec,
    Gap,
    GapReason,
    Kind,
    Opening,
    Protection,
    Source,
)
from recordings.films import gaps
from recordings.films.plan import (
    Film,
    FramesAreProtected,
    Segments,
    SegmentsChanged,
    plan,
    write,
)
from tests.recordings.films import look, studio
from tests.recordings.films.studio import Person, Segment, camera, microphone, run, screen

REPOSITORY = Path(__file__).resolve().parents[3]

Made = Callable[[Segments], list[tuple[Film, Path]]]


def spaces(times: list[float]) -> list[float]:
    return [b - a for a, b in itertools.pairwise(times)]


def test_a_place_gives_one_film_of_face_and_voice_and_one_of_its_screen(made: Made) -> None:
    person, listener = Person(), Person()
    feeds = [
        camera(person, spans=((2, 9),)),
        microphone(person),
        screen(person, spans=((4, 8),)),
        microphone(listener, 7, spans=((1, 9),)),
    ]
    films = made(lambda: run(feeds, 10))
    assert {(f.place, f.sources) for f, _ in films} == {
        (person.place, ("camera", "microphone")),
        (person.place, ("screen",)),
        (listener.place, ("microphone",)),
    }
    by_sources = {f.sources: (f, path) for f, path in films}
    assert by_sources["camera", "microphone"][0].starts_ms < 60
    assert 3_900 < by_sources["screen",][0].starts_ms < 4_060
    assert 900 < by_sources["microphone",][0].starts_ms < 1_060
    kinds = {"camera": "video", "screen": "video", "microphone": "audio"}
    for film, path in films:
        found = look.probe(path, "-show_streams", "-show_format")
        assert {s["codec_type"] for s in found["streams"]} == {kinds[s] for s in film.sources}
        assert float(found["format"]["duration"]) == film.duration_ms / 1_000
        assert found["format"]["format_name"] == "matroska,webm"
    wide = look.probe(by_sources["screen",][1], "-show_streams")["streams"][0]
    assert (wide["width"], wide["height"], wide["codec_name"]) == (320, 180, "vp8")


def test_packets_are_when_they_were_sent_and_none_is_lost(made: Made) -> None:
    person = Person(clock_s=17.5, ppm=-150)
    feeds = [camera(person), microphone(person)]
    [(film, path)] = made(lambda: run(feeds, 10))
    pictures = look.packets(path, "v")
    voices = [at for at, _ in look.packets(path, "a")]
    assert len(pictures) == 250
    assert len(voices) == 500
    assert all(0.038 <= space <= 0.042 for space in spaces([at for at, _ in pictures]))
    assert all(0.018 <= space <= 0.022 for space in spaces(voices))
    assert [key for _, key in pictures] == [n % 25 == 0 for n in range(250)]
    assert film.left_out == {}
    assert 9.95 <= film.duration_ms / 1_000 <= 10.05


def test_the_same_segments_give_the_same_bytes() -> None:
    person = Person()
    feeds = [camera(person), microphone(person)]

    def once() -> bytes:
        [film] = plan(lambda: run(feeds, 5), studio.STARTED_US).films
        return b"".join(write(film, lambda: run(feeds, 5)))

    assert once() == once()


@pytest.mark.parametrize("until", [3, 4.5, 6, 30])
def test_other_segments_than_planned_are_noticed(until: float) -> None:
    feeds = [camera(Person()), microphone(Person())]
    film = plan(lambda: run(feeds, 5), studio.STARTED_US).films[0]
    given = 0
    with pytest.raises(SegmentsChanged):
        for piece in write(film, lambda: run(feeds, until)):
            given += len(piece)
    assert given <= film.plaintext_bytes


def test_losses_stay_gaps(made: Made) -> None:
    person = Person()
    feeds = [
        camera(person, loses=lambda n: 60 <= n < 70 or n in {110, 130, 131}),
        microphone(person, loses=lambda n: 200 <= n < 260),
    ]
    [(_, path)] = made(lambda: run(feeds, 10))
    assert len(look.packets(path, "v")) == 250 - 13
    voices = [at for at, _ in look.packets(path, "a")]
    assert len(voices) == 440
    assert max(spaces(voices)) == pytest.approx(1.22, abs=0.004)
    missing = plan(lambda: run(feeds, 10), studio.STARTED_US).gaps
    assert {(g.place, g.source, g.reason) for g in missing} == {
        (person.place, "camera", "lost"),
        (person.place, "microphone", "lost"),
    }
    [voice] = [g for g in missing if g.source == "microphone"]
    assert voice.from_ms == pytest.approx(3_980, abs=30)
    assert voice.to_ms == pytest.approx(5_200, abs=80)


def test_who_is_muted_and_switches_the_camera_off_and_on_leaves_gaps(made: Made) -> None:
    person = Person()
    feeds = [
        camera(person, spans=((0, 4), (9, 20))),
        microphone(person, spans=((0, 2), (6, 20))),
    ]
    [(film, path)] = made(lambda: run(feeds, 14))
    pictures = look.packets(path, "v")
    assert max(spaces([at for at, _ in pictures])) == pytest.approx(5.04, abs=0.01)
    back = next(key for at, key in pictures if at > 8)
    assert back, "a picture that begins again begins with a key frame"
    assert film.left_out == {}
    seen = look.events(path)
    last = person.event(12) - film.starts_ms / 1_000
    assert seen.flashes[-2] == pytest.approx(last, abs=0.05)
    assert seen.beeps[-2] == pytest.approx(last, abs=0.05)


def test_a_picture_may_change_its_size(made: Made) -> None:
    person = Person()
    content = ((0, studio.pictures()), (4, studio.pictures(320, 240)), (7, studio.pictures(96, 64)))
    [(_, path)] = made(lambda: run([camera(person, content=content), microphone(person)], 10))
    seen = look.probe(path, "-select_streams", "v", "-show_entries", "frame=width,height")
    sizes = [(f["width"], f["height"]) for f in seen["frames"]]
    assert len(sizes) == 250
    assert list(dict.fromkeys(sizes)) == [(160, 120), (320, 240), (96, 64)]


def test_a_picture_begins_with_a_key_frame_whenever_somebody_joins(made: Made) -> None:
    person = Person()
    [(film, path)] = made(lambda: run([camera(person, spans=((3.3, 9),))], 10))
    assert look.packets(path, "v")[0] == (0.0, True)
    assert film.starts_ms == pytest.approx(4_000, abs=60)
    assert film.left_out == {"before a key frame": 17}


def test_a_killed_worker_and_the_next_one_make_one_film(made: Made) -> None:
    person, steady = Person(clock_s=4e9, ppm=80), Person()
    feeds = [camera(person), microphone(person), microphone(steady, 9)]

    def segments():
        yield from run(feeds, 7.4, killed=True)
        yield from run(feeds, 20, 11.2)

    planned = plan(segments, studio.STARTED_US)
    assert [r.is_finished for r in planned.runs] == [False, True]
    assert [r.segments for r in planned.runs] == [7, 9]
    [away] = planned.gaps
    assert (away.place, away.source, away.reason) == (None, None, "away")
    assert away.from_ms == pytest.approx(7_000, abs=20)
    assert away.to_ms == pytest.approx(11_200, abs=20)
    films = made(segments)
    film, path = next((f, p) for f, p in films if f.place == person.place)
    seen = look.events(path)
    assert len(seen.beeps) == 7 + 9
    # The second run's picture waits for a key frame.
    del seen.beeps[7]
    for flash, beep in zip(seen.flashes, seen.beeps, strict=True):
        happened = flash + film.starts_ms / 1_000
        second = round(person.local(happened) - studio.EVENT_S)
        assert abs(happened - person.event(second)) < 0.06
        assert -0.06 <= beep - flash <= 0.04
    assert len(seen.flashes) == 7 + 8


def test_a_run_that_overlaps_the_one_before_repeats_nothing(made: Made) -> None:
    person = Person()
    feeds = [camera(person), microphone(person)]

    def segments():
        yield from run(feeds, 8, name=uuid.uuid5(uuid.NAMESPACE_OID, "first"))
        yield from run(feeds, 14, 6, name=uuid.uuid5(uuid.NAMESPACE_OID, "second"))

    [(film, path)] = made(segments)
    times = [at for at, _ in look.packets(path, "a")]
    assert times == sorted(set(times))
    assert len(look.events(path).beeps) == 14
    assert set(film.left_out) <= {"out of time", "before a key frame"}
    assert plan(segments, studio.STARTED_US).gaps == ()


def test_gaps_of_everybody_name_nobody() -> None:
    paused = Gap(EVERY_STREAM, 2_000_000, 3_500_000, GapReason.PAUSED)

    def segments():
        for segment in run([microphone(Person())], 5):
            extra = (paused,) if segment.sequence == 3 else ()
            yield segment._replace(records=(*segment.records[:-1], *extra, segment.records[-1]))

    [gap] = plan(segments, studio.STARTED_US).gaps
    assert (gap.place, gap.source, gap.reason) == (None, None, "paused")
    assert (gap.from_ms, gap.to_ms) == pytest.approx((1_993, 3_494), abs=10)


def test_a_manifest_is_not_filled_by_losses() -> None:
    source = Source(1, uuid.uuid4(), Kind.CAMERA, Codec.VP8)
    collected = gaps.Gaps()
    for n in range(20_000):
        at_us = n * 2_000_000
        collected.add(Gap(1, at_us, at_us + 100_000, GapReason.PACKETS_LOST), {1: source})
    told = list(collected.on_recording(0))
    assert len(told) <= 1_000
    assert (told[0].from_ms, told[-1].to_ms) == (0, 39_998_100)


def test_frames_under_sframe_are_refused() -> None:
    source = Source(1, uuid.uuid4(), Kind.CAMERA, Codec.VP8, Protection.SFRAME)
    segment = Segment(uuid.uuid4(), 0, (Opening(0, 0, 0), source))
    with pytest.raises(FramesAreProtected):
        plan(lambda: [segment])


def test_a_recording_of_nothing_gives_no_film() -> None:
    assert plan(list).films == ()
    person = Person()
    assert plan(lambda: run([camera(person, spans=())], 0.5)).films == ()


def test_what_a_film_shows_of_itself_holds_no_bytes_of_it() -> None:
    [film] = plan(lambda: run([microphone(Person())], 2)).films
    assert "bytes=" in repr(film)
    assert not re.search(r"\bb['\"]", repr(film)), "an id may end in b"
    assert dataclasses.is_dataclass(film)


def test_films_are_made_without_django() -> None:
    program = "import sys, recordings.films.plan; sys.exit('django' in sys.modules)"
    roots = [str(REPOSITORY / root) for root in ("platform", "apps")]
    environment = {"PYTHONPATH": os.pathsep.join(roots), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
