"""What the worker tells browsers about the packets it got."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.congestion import MAX_PACKETS, Arrivals
from media_worker.feedback import MAX_GAP, MAX_TRIES, Losses, Missing


def test_a_gap_is_asked_for_at_once_again_and_not_for_ever() -> None:
    missing = Missing()
    assert not missing.add(65_534)
    assert missing.add(1)
    assert missing.due(10.0) == [65_535, 0]
    assert missing.due(10.01) == []
    missing.add(65_535)
    times = [10.1 + 0.1 * n for n in range(20)]
    asked = [missing.due(now) for now in times]
    assert sum(each.count(0) for each in asked) == MAX_TRIES - 1
    assert missing.is_empty


def test_an_outage_is_not_asked_for() -> None:
    missing = Missing()
    missing.add(0)
    missing.add(MAX_GAP + 5)
    assert missing.is_empty


@given(st.lists(st.integers(0, 65_535), max_size=300))
def test_what_is_missing_stays_bounded(numbers: list[int]) -> None:
    missing = Missing()
    for number in numbers:
        missing.add(number)
    assert len(missing.due(1.0)) <= MAX_GAP


def test_losses_are_counted_once() -> None:
    losses = Losses(90_000)
    for number in (65_534, 65_535, 1, 2, 3):
        losses.add(number, 0, 0.0)
    report = losses.report(5, 1.0)
    assert (report.packets_lost, report.fraction_lost) == (1, 256 // 6)
    assert report.highest_sequence == 65_536 + 3
    losses.add(0, 0, 0.0)
    assert losses.report(5, 1.0).packets_lost == 0


def test_a_round_trip_can_be_measured() -> None:
    losses = Losses(90_000)
    losses.add(1, 0, 0.0)
    losses.heard_report(0x1111222233334444, 5.0)
    report = losses.report(5, 5.5)
    assert report.lsr == 0x22223333
    assert report.dlsr == 32_768


def read_report(data: bytes) -> dict[int, float]:
    """Number → arrival in seconds, by the draft's rules and nothing of ours."""
    first, kind, words = struct.unpack("!BBH", data[:4])
    assert (first & 0x1F, kind) == (15, 205)
    assert len(data) == 4 * (words + 1)
    if first & 0x20:
        data = data[: -data[-1]]
    base, count = struct.unpack("!HH", data[12:16])
    at = 20
    symbols: list[int] = []
    while len(symbols) < count:
        (chunk,) = struct.unpack("!H", data[at : at + 2])
        at += 2
        if chunk & 0x8000:
            assert chunk & 0x4000
            symbols += [chunk >> (12 - 2 * n) & 3 for n in range(7)]
        else:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
    ticks = int.from_bytes(data[16:19], "big") * 256
    found: dict[int, float] = {}
    for n, symbol in enumerate(symbols[:count]):
        if symbol == 1:
            ticks += data[at]
            at += 1
        elif symbol == 2:
            ticks += struct.unpack("!h", data[at : at + 2])[0]
            at += 2
        if symbol:
            found[(base + n) & 0xFFFF] = ticks / 4_000
    assert at == len(data)
    return found


@given(
    st.integers(0, 65_535),
    st.lists(st.tuples(st.integers(1, 30), st.floats(0, 0.3)), min_size=1, max_size=60),
)
def test_every_arrival_is_reported_when_it_was(start: int, steps: list[tuple[int, float]]) -> None:
    arrivals, sent, number, now = Arrivals(), {}, start, 1_000.0
    total = 0
    for step, wait in steps:
        arrivals.add(number & 0xFFFF, now)
        sent[number & 0xFFFF] = now
        total += step
        if total >= MAX_PACKETS:
            break
        number, now = number + step, now + wait
    report = arrivals.report(1, 2)
    assert report is not None
    found = read_report(report)
    assert found.keys() == sent.keys()
    assert all(abs(found[n] - sent[n]) < 0.001 for n in sent)
    assert arrivals.report(1, 2) is None


def test_reports_follow_each_other_without_a_gap() -> None:
    arrivals = Arrivals()
    for number in (10, 11, 13):
        arrivals.add(number, 1.0)
    assert read_report(arrivals.report(1, 2) or b"").keys() == {10, 11, 13}
    arrivals.add(12, 1.1)  # too late: it has been reported as lost
    assert arrivals.report(1, 2) is None
    arrivals.add(16, 1.2)
    report = arrivals.report(1, 2)
    assert report is not None
    assert struct.unpack("!HH", report[12:16]) == (14, 3)


@pytest.mark.parametrize("jump", [MAX_PACKETS + 1, 20_000, 40_000])
def test_a_jump_starts_a_new_count(jump: int) -> None:
    arrivals = Arrivals()
    arrivals.add(5, 1.0)
    arrivals.report(1, 2)
    arrivals.add((5 + jump) & 0xFFFF, 1.1)
    arrivals.add((6 + jump) & 0xFFFF, 1.1)
    report = arrivals.report(1, 2)
    assert report is None or len(report) < 1_500


@given(st.lists(st.tuples(st.integers(0, 65_535), st.floats(0, 10_000)), max_size=600))
def test_no_numbers_make_a_report_too_long(found: list[tuple[int, float]]) -> None:
    arrivals = Arrivals()
    for number, arrival in found:
        arrivals.add(number, arrival)
    report = arrivals.report(1, 2)
    assert report is None or len(report) < 1_500
