"""What is measured of one take, and the lines that are drawn through it.

A take is a stretch of one stream in which its timestamps go on evenly. Its sender reports say what
its publisher's clock showed, its frames when they arrived; ``clock`` says what for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from statistics import median

from foundation.sealing.records import Kind, Source
from recordings.films.stalls import Stalls

#: In each window the frame that waited least is kept.
_WINDOW_US = 10_000_000
_REPORTS_APART_US = 500_000
#: Beyond this every second measurement is dropped: hours keep their line, memory its bound.
_MEASUREMENTS_MOST = 4_096

#: A drift is drawn only through points that cover this much; below, jitter would pass for drift.
_DRIFT_SEEN_US = 60_000_000
#: Clocks of computers differ by a tenth of this; more is not believed.
_DRIFT_MOST = 1e-3


class Line:
    """A straight line under points: what is lowest counts, because delays only add."""

    def __init__(self, points: Iterable[tuple[float, float]]) -> None:
        ordered = sorted(points)
        self._from, self._slope = ordered[0][0], 0.0
        half = len(ordered) // 2
        if ordered[-1][0] - ordered[0][0] >= _DRIFT_SEEN_US:
            # Theil and Sen: the median of slopes ignores the third of points that are odd.
            pairs = zip(ordered[:half], ordered[-half:], strict=True)
            slope = median((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs if b[0] > a[0])
            if abs(slope) <= _DRIFT_MOST:
                self._slope = slope
        above = sorted(y - self._slope * (x - self._from) for x, y in ordered)
        self._offset = above[len(above) // 20]

    def at(self, x: float) -> float:
        return self._offset + self._slope * (x - self._from)


class Knots:
    """What to add to a take's RTP time to have its publisher's clock: drawn through its reports."""

    def __init__(self, at: array[float], ahead: array[float], stalls: Stalls) -> None:
        self._at = at
        self._stalls = stalls
        # The middle one of three: a single wrong report moves nothing.
        inner = (median(ahead[i - 1 : i + 2]) for i in range(1, len(ahead) - 1))
        ends = (median(ahead[:3]), median(ahead[-3:])) if len(ahead) >= 3 else (ahead[0], ahead[-1])
        self._ahead = array("d", [ends[0], *inner, *([ends[1]] if len(ahead) > 1 else [])])

    def publisher_us(self, rtp_us: float) -> float:
        return rtp_us + self._stalls.until(rtp_us) + self._between_reports(rtp_us)

    def _between_reports(self, rtp_us: float) -> float:
        after = bisect_right(self._at, rtp_us)
        if after == 0:
            return self._ahead[0]
        if after == len(self._at):
            return self._ahead[-1]
        left, right = self._at[after - 1], self._at[after]
        share = (rtp_us - left) / (right - left)
        low, high = self._ahead[after - 1], self._ahead[after]
        return low + share * (high - low)


class Take:
    """Measurements of a stretch of one stream in which its timestamps go on evenly."""

    def __init__(self, source: Source, era: int) -> None:
        self.place = source.place
        #: Counts how often the person's clock was set, or exchanged.
        self.era = era
        self._reports = array("d"), array("d")
        self._least = array("d"), array("d")
        #: A camera's timestamps are read off a clock and lose nothing.
        self._counts_samples = source.kind is Kind.MICROPHONE
        self._stalls = Stalls()
        self._window_ends_us = 0
        self._rtp_us = self._arrival_us = 0.0

    def arrived(self, rtp_us: float, arrival_us: int) -> None:
        if self._counts_samples:
            self._stalls.arrived(rtp_us, arrival_us)
        if arrival_us >= self._window_ends_us:
            self._close_window()
            self._window_ends_us = arrival_us + _WINDOW_US
        elif arrival_us - rtp_us >= self._arrival_us - self._rtp_us:
            return
        self._rtp_us, self._arrival_us = rtp_us, arrival_us

    def reported(self, rtp_us: float, publisher_us: int) -> None:
        at, ahead = self._reports
        if not at or rtp_us - at[-1] >= _REPORTS_APART_US:
            at.append(rtp_us)
            ahead_us = publisher_us - rtp_us
            ahead.append(self._stalls.reported(ahead_us) if self._counts_samples else ahead_us)
            _thin(at, ahead)

    def ended(self) -> None:
        self._stalls.ended()

    @property
    def is_reported(self) -> bool:
        return bool(self._reports[0])

    def knots(self) -> Knots:
        """Without reports, a clock that shows what it likes but goes as the publisher's."""
        self.ended()
        at, ahead = self._reports if self.is_reported else (array("d", [0.0]), array("d", [0.0]))
        return Knots(at, ahead, self._stalls)

    def least_delayed(self) -> list[tuple[float, float]]:
        """RTP time and arrival of the frame that waited least, window by window."""
        self._close_window()
        return list(zip(*self._least, strict=True))

    def _close_window(self) -> None:
        if self._window_ends_us:
            self._window_ends_us = 0
            self._least[0].append(self._rtp_us)
            self._least[1].append(self._arrival_us)
            _thin(*self._least)


def _thin(*columns: array[float]) -> None:
    if len(columns[0]) > _MEASUREMENTS_MOST:
        for column in columns:
            del column[1::2]
