"""The platform's time. What this machine's own clock says decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable


class TimeUnknown(RuntimeError):
    """The platform has not told the time yet."""


class Clock:
    """The time as the platform last told it, counted on by ``steady``, which nobody sets.

    It is behind by what the message took: far less than the leeway of anything judged by it.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._offset: float | None = None

    def tell(self, now: float) -> None:
        """``now`` is the platform's time, in seconds since 1970."""
        self._offset = now - self._steady()

    def now(self) -> float:
        """Seconds since 1970. Raises TimeUnknown before the first ``tell``."""
        if self._offset is None:
            raise TimeUnknown
        return self._offset + self._steady()
