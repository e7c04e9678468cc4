"""Numbers of forwarded packets, key frames, and whom a fault reaches."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker import plane
from media_worker.plane import Packet, Report, Rewriter, Source, starts_key_frame

KEY = b"\x10\x00rest"
DELTA = b"\x10\x01rest"


def packet(sequence: int, payload: bytes = DELTA, ssrc: int = 1, timestamp: int = 0) -> Packet:
    return Packet(ssrc, sequence & 0xFFFF, timestamp, True, payload, time.monotonic())


class Watcher:
    def __init__(self, *, awaits: bool = False, faulty: bool = False) -> None:
        self.awaits_key_frame = awaits
        self.got: list[Packet] = []
        self._faulty = faulty

    def accept(self, packet: Packet) -> None:
        if self._faulty:
            raise RuntimeError("broken")
        self.got.append(packet)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (KEY, True),
        (DELTA, False),
        (b"\x00\x00rest", False),  # not the start of a partition
        (b"\x11\x00rest", False),  # the second partition
        (b"\x90\x80\x05\x00", True),  # seven-bit picture id
        (b"\x90\x80\x85\x05\x00", True),  # fifteen-bit picture id
        (b"\x90\xe0\x85\x05\x01\x20\x00", True),  # with layer fields
        (b"\x90\xe0\x85\x05\x01\x20\x01", False),
        (b"", False),
        (b"\x10", False),
        (b"\x90\xff", False),
        (b"\x90\xff\xff", False),
    ],
)
def test_where_a_key_frame_starts(payload: bytes, expected: bool) -> None:
    assert starts_key_frame(payload) is expected


@given(st.binary(max_size=12))
def test_no_payload_confuses_it(payload: bytes) -> None:
    starts_key_frame(payload)


def test_video_starts_at_a_key_frame() -> None:
    one = Rewriter("video", 90_000)
    assert one.awaits_key_frame
    assert one.rewrite(packet(7)) is None
    assert one.rewrite(packet(8, KEY)) is not None
    assert not one.awaits_key_frame
    assert one.rewrite(packet(7)) is None, "what was before the key frame is of no use"


def test_audio_starts_at_once() -> None:
    assert Rewriter("audio", 48_000).rewrite(packet(7, b"")) is not None


def test_order_and_gaps_are_kept_across_the_wrap() -> None:
    one = Rewriter("audio", 48_000)
    numbers = [one.rewrite(packet(n)) for n in (65_533, 65_534, 1, 65_535, 0, 2)]
    first = numbers[0]
    assert first is not None
    found = [(pair[0] - first[0]) & 0xFFFF for pair in numbers if pair is not None]
    assert found == [0, 1, 4, 2, 3, 5]


def test_what_comes_far_too_late_is_dropped() -> None:
    one = Rewriter("audio", 48_000)
    one.rewrite(packet(0))
    one.rewrite(packet(5_000))
    assert one.rewrite(packet(3_000)) is None
    assert one.rewrite(packet(4_500)) is not None


def test_another_source_goes_on_where_the_first_stopped() -> None:
    one = Rewriter("video", 90_000)
    one.rewrite(packet(100, KEY, timestamp=1_000))
    before = one.rewrite(packet(101, timestamp=4_000))
    assert one.rewrite(packet(900, DELTA, ssrc=2, timestamp=77)) is None
    after = one.rewrite(packet(901, KEY, ssrc=2, timestamp=3_077))
    assert before is not None
    assert after is not None
    assert after[0] == (before[0] + 1) & 0xFFFF
    assert 0 < after[1] - before[1] < 90_000


@settings(max_examples=200)
@given(
    st.integers(0, 65_535),
    st.lists(st.integers(-20, 40), min_size=1, max_size=100),
)
def test_distances_never_change(start: int, steps: list[int]) -> None:
    one = Rewriter("audio", 48_000)
    first = one.rewrite(packet(start))
    assert first is not None
    at = start
    for step in steps:
        at += step
        found = one.rewrite(packet(at, timestamp=at & 0xFFFFFFFF))
        if at < start:
            assert found is None
        elif found is not None:
            assert (found[0] - first[0]) & 0xFFFF == (at - start) & 0xFFFF


def test_reports_move_with_the_timestamps() -> None:
    one = Rewriter("audio", 48_000)
    assert one.timestamp(Report(1, 0, 500, 0.0)) is None
    one.rewrite(packet(1, ssrc=1, timestamp=100))
    one.rewrite(packet(1, ssrc=2, timestamp=5))
    moved = one.rewrite(packet(2, ssrc=2, timestamp=10))
    assert moved is not None
    assert one.timestamp(Report(2, 0, 30, 0.0)) == moved[1] + 20
    assert one.timestamp(Report(1, 0, 500, 0.0)) is None


def test_one_broken_watcher_harms_no_other() -> None:
    source, good = Source("video"), Watcher()
    for one in (Watcher(faulty=True), good, Watcher(faulty=True)):
        source.add(one)
    source.push(packet(1))
    assert len(good.got) == 1


def test_one_who_left_gets_nothing() -> None:
    source, one = Source("audio"), Watcher()
    source.add(one)
    source.add(one)
    source.push(packet(1))
    source.remove(one)
    source.push(packet(2))
    assert len(one.got) == 1


def test_key_frames_are_asked_for_seldom_and_until_one_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(plane.time, "monotonic", lambda: now[0])
    asked: list[float] = []

    def ask() -> bool:
        asked.append(now[0])
        return True

    source = Source("video")
    source.ask = ask
    source.add(Watcher(awaits=False))
    assert asked == [100.0]
    for _ in range(50):
        source.want_key_frame()
    assert asked == [100.0]
    for step in range(9):
        now[0] = 100.0 + 0.125 * step
        source.push(packet(step))
    assert asked == [100.0, 100.375, 100.75]
    source.push(packet(99, KEY))
    now[0] = 105.0
    source.push(packet(100))
    assert len(asked) == 3


def test_a_key_frame_that_nobody_could_be_asked_for_is_asked_for_with_the_first_packet() -> None:
    asked: list[int] = []

    def ask() -> bool:
        asked.append(source.packets)
        return source.packets > 0  # before a packet came, its SSRC is not known

    source = Source("video")
    source.ask = ask
    source.add(Watcher(awaits=True))
    source.push(packet(1))
    source.push(packet(2))
    assert asked == [0, 1]


def test_nobody_asks_for_sound_or_for_nothing() -> None:
    sound, silent = Source("audio"), Source("video")
    sound.ask = lambda: pytest.fail("asked for a key frame of sound")
    sound.want_key_frame()
    silent.want_key_frame()
    silent.push(packet(1))
