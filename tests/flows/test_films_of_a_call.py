"""A call of real browsers is recorded, stored, opened by somebody else, and looked at.

Each browser films a clapper board (``clapper.js``) whose pictures say when they were drawn. So what
is measured is how much later than it happened each picture and each tone stands in the film: the
browser's way from the page to its encoder, the worker's clock and the films'. A picture that the
browser drew late, or never sent because the machine was busy, counts for nothing. What sound needs
from a microphone, and light from a camera, is not in it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Iterable

import pytest

from tests.flows.back_room import BackRoom
from tests.flows.clapper import (
    EVENT_S,
    beeps,
    claps_on,
    has_clapped_well,
    holds_clapper,
    pictures,
    starved,
    tells,
)
from tests.flows.conftest import CLINICIAN
from tests.flows.people import Visitor
from tests.flows.stored_recording import (
    OpenedFilm,
    allow_recording,
    open_stored,
    wait_until_stored,
)
from tests.recordings.films import look
from tests.recordings.films.test_lips import EARLY_S, LATE_S

pytestmark = [pytest.mark.browser, pytest.mark.timed]

#: How far two people's films may lie apart; who looks at both sees no more than that.
APART_S = 0.100


def told(person: Visitor, kind: str) -> dict:
    """The newest message of ``kind`` that the page was sent."""
    for text in reversed(person.received):
        if text.startswith(f'{{"type":"{kind}"'):
            found: dict = json.loads(text)
            return found
    return {}


def recording_seen_by(person: Visitor) -> dict:
    return told(person, "state").get("recording") or {}


def agrees(person: Visitor, kind: str = "state") -> None:
    """To the words on their own screen."""

    def question() -> dict | None:
        seen = recording_seen_by(person) if kind == "state" else told(person, kind)
        return seen.get("question")

    person.wait(question, "a question")
    tells(person, "give_consent", text=question()["text"])


def place_of(person: Visitor) -> str:
    return str(told(person, "welcome")["you"])


@pytest.fixture
def back_room(installation):
    room = BackRoom(installation)
    yield room
    room.leave()


def test_a_recorded_call_is_stored_as_films_in_which_lips_match(
    installation, visitor, back_room, tmp_path, record_property
):
    allow_recording(back_room)
    doctor, patient, interpreter = (visitor(name) for name in ("doctor", "patient", "interpreter"))
    people = {doctor: 1, patient: 2, interpreter: 3}
    for person, number in people.items():
        holds_clapper(person, number)
    doctor.sign_in(installation.people[CLINICIAN])
    meeting, link = doctor.plan("governed", "Rosa Filmed", "rosa.filmed@example.test")
    interpreter_link = doctor.invite(meeting, "Ivo Filmed", "ivo.filmed@example.test")
    doctor.receive(installation, meeting, patient, link, "rosa.filmed@example.test")

    tells(doctor, "ask_recording", others_in_room=0)
    for person in (doctor, patient):
        agrees(person)
    doctor.wait(lambda: recording_seen_by(doctor).get("state") == "recording", "a recording")
    began = time.time()
    claps_on(doctor, 2)

    # A third comes in, and is asked before they do.
    interpreter.arrive(installation, interpreter_link, "ivo.filmed@example.test", 1)
    doctor.admit()
    agrees(interpreter, "lobby")
    interpreter.stage("call")
    interpreter.connected()
    third_came = time.time()
    interpreter.sees(2)
    claps_on(interpreter, 3)

    patient.act("mute")
    doctor.act("camera")
    off = time.time()
    claps_on(interpreter, 3)
    on = time.time()
    patient.act("mute")
    doctor.act("camera")
    patient.sees(2)

    # Smaller: what becomes larger a busy browser would scale down again.
    patient.page.evaluate("() => { clapper.size = [240, 180]; }")
    patient.act("screen")
    doctor.sees_screen()
    claps_on(patient, 3)
    patient.act("screen")

    has_clapped_well(interpreter, 6)
    interpreter.act("leave")
    interpreter.stage("ended")
    left = time.time()
    claps_on(doctor, 2)
    for person in (doctor, patient):
        has_clapped_well(person, 8)
    tells(doctor, "stop_recording")
    stopped = time.time()
    # What this machine did not sound cannot be in a film.
    silent = {person: starved(person) for person in people}
    places = {person: place_of(person) for person in people}
    doctor.act("end")
    doctor.act("confirm")
    wait_until_stored(back_room, meeting)
    record_property("from the order to stop until stored (s)", round(time.time() - stopped, 1))
    opened = open_stored(back_room, meeting, tmp_path)

    assert len(opened.films) == 4
    for film in opened.films:
        assert look.decode_errors(film.path) == ""
        look.probe(film.path, "-show_format", "-show_streams")
    screen = opened.film_of(places[patient], "screen")
    assert len(look.packets(screen.path, "v")) > 1
    was_there = {
        doctor: (began, stopped),
        patient: (began, stopped),
        interpreter: (third_came, left),
    }
    # A tone that is switched off or on while it sounds begins and ends anywhere.
    switched = {int(off), int(on), int(on) + 1}
    seen = {}
    for person, number in people.items():
        film = opened.film_of(places[person])
        assert film.sources == ("camera", "microphone")
        lasts(film, *was_there[person])
        jumps(film, number)
        seen[person] = Seen(film, number, switched, silent[person])

    # What was switched off is not there, and all the rest is.
    for person, film in seen.items():
        first, last = was_there[person]
        for second in range(int(first) + 2, int(last) - 1):
            if second in switched | silent[person]:
                continue
            is_off = int(off) < second < int(on)
            assert (second in film.beeps) != (is_off and person is patient), second
            assert (second in film.pictures) != (is_off and person is doctor), second
    assert int(on) - int(off) >= 2
    assert {one.width for one in pictures(opened.film_of(places[patient]).path)} == {320, 240}

    for person, film in seen.items():
        record_property(f"{person.name}: seconds of a starved browser", len(silent[person]))
        record_property(f"{person.name}: sound after picture", told_ms(film.skews().values()))
        record_property(f"{person.name}: picture after drawing", told_ms(film.pictures.values()))
        record_property(f"{person.name}: sound after sounding", told_ms(film.beeps.values()))
        # Each clap, but where this machine had no time for its tone (docs/open.md).
        skews = {at: skew for at, skew in film.skews().items() if at not in silent[person]}
        assert len(skews) >= 3
        for skew in skews.values():
            assert -EARLY_S <= skew <= LATE_S, (person.name, skews)
    for one, other in ((doctor, patient), (doctor, interpreter), (patient, interpreter)):
        apart = seen[one].apart_from(seen[other])
        record_property(f"{one.name} after {other.name}", told_ms(apart))
        assert len(apart) >= 3
        for by in apart:
            assert abs(by) <= APART_S, (one.name, other.name, apart)


class Seen:
    """How much later than it happened everything stands in one film, by second of the clock."""

    def __init__(self, film: OpenedFilm, number: int, unless: set[int], silent: set[int]) -> None:
        #: Of each second's pictures the one that is furthest from where it should be.
        self.pictures: dict[int, float] = {}
        self.beeps: dict[int, float] = {}
        self._white: set[int] = set()
        for picture in pictures(film.path):
            assert picture.whose == number, picture
            late = after(film.begins_s + picture.at_s, picture.drawn_s)
            second = int(film.begins_s + picture.at_s - late)
            self.pictures[second] = max(late, self.pictures.get(second, late), key=abs)
            if picture.is_white:
                self._white.add(second)
        for beep in beeps(film.path):
            late = film.begins_s + beep.at_s - EVENT_S
            if beep.whose == number:
                self.beeps[round(late)] = late - round(late)
            else:
                assert round(late) in unless | silent, (beep, number)
        for second in unless:
            self.pictures.pop(second, None)
            self.beeps.pop(second, None)

    def skews(self) -> dict[int, float]:
        """By how much each second's tone is after its picture."""
        both = self.pictures.keys() & self.beeps.keys() & self._white
        return {second: self.beeps[second] - self.pictures[second] for second in sorted(both)}

    def apart_from(self, other: Seen) -> list[float]:
        """By how much each second's pictures are after the other's."""
        both = self.pictures.keys() & other.pictures.keys()
        return [self.pictures[second] - other.pictures[second] for second in sorted(both)]


def after(at_s: float, drawn_s: float) -> float:
    """``at_s`` less a moment that is told within 64 seconds only."""
    return (at_s - drawn_s + 32) % 64 - 32


def told_ms(values: Iterable[float]) -> str:
    ms = sorted(1_000 * value for value in values)
    return f"median {statistics.median(ms):.0f} ms ({ms[0]:.0f} to {ms[-1]:.0f}, n={len(ms)})"


def lasts(film: OpenedFilm, first: float, last: float) -> None:
    """It begins and ends when its person's recording did; a second more or less for each end."""
    length = float(look.probe(film.path, "-show_format")["format"]["duration"])
    assert abs(film.begins_s - first) <= 1.5, film.begins_s - first
    assert abs(film.begins_s + length - last) <= 1.5, film.begins_s + length - last


def jumps(film: OpenedFilm, number: int) -> None:
    """A player that goes to the middle finds there what happened there."""
    length = float(look.probe(film.path, "-show_format")["format"]["duration"])
    command = ["ffmpeg", "-v", "error", "-xerror", "-nostdin", "-ss", str(length / 2)]
    command += ["-i", str(film.path), "-t", "1", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    found = next(one for one in pictures(film.path, length / 2) if one.at_s >= length / 2)
    assert found.whose == number
    assert abs(after(film.begins_s + found.at_s, found.drawn_s)) < 1
