"""What one socket may do before anything of it is understood."""

from __future__ import annotations

from signaling import limits
from signaling.limits import Bucket


def test_a_burst_passes_and_then_the_rate_counts(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(limits.time, "monotonic", lambda: now)
    bucket = Bucket(rate=10, burst=5)
    assert [bucket.take() for _ in range(7)] == [True] * 5 + [False] * 2
    now += 0.1
    assert [bucket.take() for _ in range(2)] == [True, False]
    now += 3600
    assert [bucket.take() for _ in range(7)] == [True] * 5 + [False] * 2, "a burst has an end"


def test_a_clock_that_stands_still_fills_nothing(monkeypatch):
    monkeypatch.setattr(limits.time, "monotonic", lambda: 5.0)
    bucket = Bucket(rate=1000, burst=1)
    assert [bucket.take() for _ in range(100)].count(True) == 1


def test_the_queue_holds_at_least_a_burst():
    assert limits.QUEUE_LENGTH >= limits.BURST
    assert limits.SILENCE_SECONDS >= 3 * limits.PING_SECONDS
