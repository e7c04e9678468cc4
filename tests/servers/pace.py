"""How fast this machine is at the moment: a host may give its processors to others, too."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

#: A loop's time on a processor of the machine for which bounds in seconds were set.
_SET_SECONDS = 0.017
_TURNS = 100_000

#: Times slower, up to which those bounds say something about us and not about the machine.
_FIT = 1.8

#: What all tests of a stage wait together for a machine that is fit; then they begin all the same.
_PATIENCE_SECONDS = 1_200.0

#: A host that took the processors away does so again in a moment, unless it has not for a while.
_CALM_SECONDS = 45.0

_waited = 0.0


def slowness() -> float:
    """How many times longer than there everything takes now; 1 at least.

    Of the machine itself: what other tests of this run do at the same time is not in it.
    """
    before = _busy_and_stolen()
    loops = []
    for _ in range(15):
        loops.append(_loop())
        time.sleep(0.05)  # the kernel tells what was taken by the hundredth of a second
    busy, stolen = (now - then for now, then in zip(_busy_and_stolen(), before, strict=True))
    share_left = busy / (busy + stolen) if busy else 1.0
    return max(1.0, statistics.median(loops) / _SET_SECONDS / max(share_left, 0.05))


def wait_until_fit() -> float:
    """Wait while others have this machine's processors; returns how slow it still is."""
    global _waited
    began = fit_since = time.monotonic()
    slow = slowness()
    needed = _CALM_SECONDS if slow > _FIT else 0.0
    while time.monotonic() - fit_since < needed and _waited < _PATIENCE_SECONDS:
        time.sleep(3)
        slow = slowness()
        now = time.monotonic()
        _waited, began = _waited + now - began, now
        if slow > _FIT:
            fit_since = now
    return slow


def _loop() -> float:
    began, total = time.thread_time(), 0
    for number in range(_TURNS):
        total += number * number
    return time.thread_time() - began


def _busy_and_stolen() -> tuple[int, int]:
    """Hundredths of seconds since the start: worked by all processors, and taken by the host."""
    first = Path("/proc/stat").read_text().split("\n", 1)[0]
    user, nice, system, _, _, irq, softirq, steal = (int(n) for n in first.split()[1:9])
    return user + nice + system + irq + softirq, steal
