"""The run's clock: microseconds since the run began, by a clock that nobody sets."""

from __future__ import annotations

import time
from collections.abc import Callable

from media_worker.clock import Clock


class RunClock:
    """Begins when it is made. ``platform`` must have been told the time (raises TimeUnknown)."""

    def __init__(self, platform: Clock, steady: Callable[[], float] = time.monotonic) -> None:
        self._platform = platform
        self._steady = steady
        self._began = steady()
        platform.now()

    def at(self, moment: float) -> int:
        """``moment``, of ``time.monotonic``, on the run's clock; 0 if it was before the run."""
        return max(0, round((moment - self._began) * 1_000_000))

    def now(self) -> int:
        return self.at(self._steady())

    def wall(self, clock_us: int) -> int:
        """The same moment in microseconds since 1970, by the platform's time."""
        ago = self.now() - clock_us
        return max(0, round(self._platform.now() * 1_000_000) - ago)
