"""Finds the moments that a microphone never sampled.

RTP timestamps of sound count samples (RFC 3550, 5.1; RFC 7587, 4.1). A starved computer takes none
for a while; then its timestamps lag behind its clock, all at once. Its next sender report says so,
up to five seconds later. A straight line drawn to that report would put all the sound in between
before its picture, by as much as the whole stall.

When it happened is told by arrivals: from then on no frame arrives as early for its timestamp as
frames did before. A network that delays only for a while does not look like this, because frames
that were not delayed follow. How much was lost, and whether anything was, is told by the reports of
before and after: a network's way may become longer for good, and a busy worker hears late. Before
the first report and after the last one nothing is believed to have been lost.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import pairwise

#: Reports that part by less than this are a matter of drift, and of how evenly they are written.
_SEEN_US = 10_000
#: A rise between two frames that counts.
_RISE_US = 5_000
#: The newest frames may all be late by chance: so many must agree.
_AGREE = 10

#: Eighty seconds of sound without a report; and more stalls than any recording has.
_FRAMES_MOST = 4_096
_STALLS_MOST = 4_096


class Stalls:
    """How many microseconds of a take's sound were never sampled, up to each of its timestamps."""

    def __init__(self) -> None:
        self._at, self._lost = array("d"), array("d")
        #: The frames since the report before, as timestamp and what it is behind its arrival.
        self._frames: tuple[array[float], array[float]] = array("d"), array("d")
        self._base_us: float | None = None

    def arrived(self, rtp_us: float, arrival_us: int) -> None:
        at, behind = self._frames
        if len(at) == _FRAMES_MOST:
            del at[: _FRAMES_MOST // 2], behind[: _FRAMES_MOST // 2]
        at.append(rtp_us)
        behind.append(arrival_us - rtp_us)

    def reported(self, ahead_us: float) -> float:
        """What of a report's ``ahead_us`` (its clock less its timestamp) is no stall, in µs."""
        if self._base_us is None or ahead_us - self._base_us < _SEEN_US:
            self._forget(ahead_us)
        else:
            lost_us = ahead_us - self._base_us
            rises = self._rises()
            risen_us = sum(rise for _, rise in rises)
            # A report may overtake the frames that show what it says; the next one asks again.
            if lost_us / 2 <= risen_us <= lost_us * 2:
                self._count([(at, rise * lost_us / risen_us) for at, rise in rises])
                self._forget(ahead_us)
        return ahead_us - (self._lost[-1] if self._lost else 0)

    def ended(self) -> None:
        """No report follows: the frames that were kept for it are let go."""
        for column in self._frames:
            del column[:]

    def until(self, rtp_us: float) -> float:
        """Microseconds that were lost before the frame with this timestamp."""
        known = bisect_right(self._at, rtp_us)
        return self._lost[known - 1] if known else 0.0

    def _forget(self, ahead_us: float) -> None:
        self._base_us = ahead_us
        for column in self._frames:
            del column[:-1]

    def _rises(self) -> list[tuple[float, float]]:
        """From which timestamp on frames are later for good, and by how much."""
        at, behind = self._frames
        if len(at) <= _AGREE:
            return []
        # The least delay of all that follow: it only rises, and only when none was as early again.
        least = min(behind[-_AGREE:])
        follow = array("d", [least])
        for index in range(len(behind) - _AGREE - 1, -1, -1):
            least = min(least, behind[index])
            follow.append(least)
        follow.reverse()
        found = [(at[i], b - a) for i, (a, b) in enumerate(pairwise(follow), 1)]
        return [(where, rise) for where, rise in found if rise >= _RISE_US]

    def _count(self, rises: list[tuple[float, float]]) -> None:
        for at, rise_us in rises[: _STALLS_MOST - len(self._at)]:
            self._lost.append((self._lost[-1] if self._lost else 0.0) + rise_us)
            self._at.append(at)
