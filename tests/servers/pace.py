"""How fast this machine is at the moment: a host may give its processors to others, too."""

from __future__ import annotations

import statistics
import time

#: A loop's time on the machine for which bounds in seconds were set, while nothing else ran.
_SET_SECONDS = 0.018
_TURNS = 100_000


def slowness() -> float:
    """How many times longer than then everything takes now; 1 at least.

    Asked before a test makes work of its own: that work is what the bounds are about.
    """
    return max(1.0, statistics.median(_loop() for _ in range(15)) / _SET_SECONDS)


def _loop() -> float:
    began, total = time.perf_counter(), 0
    for number in range(_TURNS):
        total += number * number
    return time.perf_counter() - began
