"""Strangers can be refused without end; the trail says so without being filled by it."""

from __future__ import annotations

import json
from datetime import date

import pytest

from access import floods as module
from access import gate
from access.facts import Installation
from access.floods import ALL, APART, EACH, WINDOW_SECONDS, floods
from access.verbs import Verb
from accounts import actors
from accounts.actors import stranger
from audit.models import TrailRow
from foundation.actor import Actor, anonymous
from foundation.errors import ConsiliumError

pytestmark = pytest.mark.usefixtures("cast")

HERE, THERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def clock(monkeypatch):
    """``clock.now`` is what time it is."""

    class Clock:
        now = 1000.0

        def monotonic(self) -> float:
            return self.now

    made = Clock()
    monkeypatch.setattr(module, "time", made)
    floods.forget()
    return made


def refuse(actor: Actor, times: int = 1, reason: str = "not_found") -> None:
    for _ in range(times):
        gate.record_refusal(actor, Verb.ROOM_OPEN, ConsiliumError(reason))


def rows(reason: str = "not_found") -> list[dict[str, object]]:
    """The details of what the trail has."""
    found = TrailRow.objects.filter(outcome="refused", reason=reason).order_by("id")
    assert {row.tag for row in found} <= {Verb.ROOM_OPEN.value}
    return [json.loads(row.body)["details"] for row in found]


def test_a_strangers_first_refusals_are_written_and_the_others_counted(clock):
    who = stranger(HERE)
    refuse(who, EACH)
    assert rows() == [{"from": who.source}] * EACH
    refuse(who, 1000)
    assert len(rows()) == EACH
    clock.now += WINDOW_SECONDS
    floods.write_counted()
    assert rows()[EACH:] == [{"from": who.source, "more": 1000}]
    floods.write_counted()
    assert len(rows()) == EACH + 1, "once"


def test_the_next_refusal_writes_what_was_counted_too(clock):
    refuse(stranger(HERE), EACH + 5)
    clock.now += WINDOW_SECONDS
    refuse(stranger(THERE))
    assert rows()[EACH:] == [
        {"from": stranger(HERE).source, "more": 5},
        {"from": stranger(THERE).source},
    ]


def test_a_flood_hides_no_other_stranger_and_no_other_reason(clock):
    refuse(stranger(HERE), EACH + 100)
    refuse(stranger(THERE))
    refuse(stranger(HERE), reason="ticket_invalid")
    assert rows()[EACH:] == [{"from": stranger(THERE).source}]
    assert rows("ticket_invalid") == [{"from": stranger(HERE).source}]


def test_a_flood_from_everywhere_is_bounded_too(clock):
    for number in range(APART + 150):
        refuse(anonymous(f"{number:016x}"), 5)
    assert len(rows()) <= ALL
    clock.now += WINDOW_SECONDS
    floods.write_counted()
    written = rows()
    assert len(written) <= ALL + APART + 1
    counted = sum(int(str(row["more"])) for row in written if "more" in row)
    alone = sum("more" not in row for row in written)
    assert alone + counted == (APART + 150) * 5, "not one is missing from the numbers"


def test_who_is_signed_in_is_written_each_time(cast, clock):
    refuse(cast.acting(cast.clinician), EACH * 3)
    assert len(rows()) == EACH * 3


def test_a_throttle_is_counted_whoever_it_slows_down(cast, clock):
    clinician = cast.acting(cast.clinician)
    refuse(clinician, EACH * 3, "too_many_attempts")
    assert len(rows("too_many_attempts")) == EACH
    clock.now += WINDOW_SECONDS
    floods.write_counted()
    row = TrailRow.objects.latest("id")
    assert (row.actor, row.organisation_id) == (clinician.label, cast.hospital.pk)
    assert json.loads(row.body)["details"] == {"more": EACH * 2}


def test_one_refusal_is_written_once_however_many_doors_it_passes():
    refusal = ConsiliumError("not_found")
    for _ in range(3):
        gate.record_refusal(anonymous(), Verb.ROOM_OPEN, refusal, Installation())
    assert len(rows()) == 1


def test_a_stranger_is_one_household_for_one_day_and_never_an_address(monkeypatch):
    def on(day: int) -> None:
        monkeypatch.setattr(actors, "_today", lambda: date(2026, 11, day))

    on(20)
    home = stranger(HERE)
    assert home.source
    assert home.label == "anonymous:-"
    assert HERE not in repr(home)
    assert stranger(HERE) == home == stranger(f"::ffff:{HERE}")
    assert stranger(THERE) != home
    assert stranger("2001:db8:1:2::5") == stranger("2001:db8:1:2:ffff::9")
    assert stranger("2001:db8:1:2::5") != stranger("2001:db8:1:3::5")
    for none in ("", "localhost", "198.51.100.7:443", "x" * 500):
        assert stranger(none) == anonymous()
    on(21)
    assert stranger(HERE) != home
