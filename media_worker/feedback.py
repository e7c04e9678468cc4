"""What a receiver tells a sender about the packets it got: loss reports and requests to repeat.

``Losses`` counts for receiver reports (RFC 3550 section 6.4.1 and appendix A). ``Missing`` decides
which sequence numbers to ask for again and when (RFC 4585 section 6.2.1): at once when a gap opens
and repeatedly until it is filled or not worth filling, where aiortc asks only once.
"""

from __future__ import annotations

from aiortc.rtp import RtcpReceiverInfo

#: A gap wider than this is a restart or an outage; a key frame mends it, not a hundred repeats.
MAX_GAP = 200

#: A missing packet is asked for this often, this far apart: after 0.6 s no decoder waits for it.
MAX_TRIES = 8
RETRY_SECONDS = 0.07


class Losses:
    """Reception statistics of one SSRC."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._base: int | None = None
        self._highest = 0
        self._received = 0
        self._expected_before = 0
        self._received_before = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._last_report: tuple[int, float] | None = None

    def add(self, sequence: int, timestamp: int, arrival: float) -> None:
        if self._base is None:
            self._base = self._highest = sequence
        delta = ((sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        self._highest = max(self._highest, self._highest + delta)
        self._received += 1
        transit = arrival * self._clock_rate - timestamp
        if self._transit is not None and delta > 0:
            change = abs(transit - self._transit)
            if change < self._clock_rate * 10:  # a timestamp that wrapped says nothing
                self._jitter += (change - self._jitter) / 16
        self._transit = transit

    def heard_report(self, ntp: int, arrival: float) -> None:
        """A sender report arrived; the next receiver report lets its sender measure the delay."""
        self._last_report = ((ntp >> 16) & 0xFFFFFFFF, arrival)

    def report(self, ssrc: int, now: float) -> RtcpReceiverInfo:
        """The report block about the time since the last one."""
        expected = self._highest - (self._base or 0) + 1
        expected_since = expected - self._expected_before
        lost_since = expected_since - (self._received - self._received_before)
        self._expected_before, self._received_before = expected, self._received
        fraction = 0
        if expected_since > 0 and lost_since > 0:
            fraction = min(255, (lost_since << 8) // expected_since)
        last, delay = 0, 0
        if self._last_report is not None:
            last = self._last_report[0]
            delay = min(0xFFFFFFFF, int((now - self._last_report[1]) * 65_536))
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=fraction,
            packets_lost=max(-(1 << 23), min((1 << 23) - 1, expected - self._received)),
            highest_sequence=self._highest & 0xFFFFFFFF,
            jitter=min(0xFFFFFFFF, int(self._jitter)),
            lsr=last,
            dlsr=delay,
        )


class Missing:
    """Sequence numbers of one video stream that have not come yet."""

    def __init__(self) -> None:
        self._highest: int | None = None
        self._missing: dict[int, tuple[int, float]] = {}

    @property
    def is_empty(self) -> bool:
        return not self._missing

    def add(self, sequence: int) -> bool:
        """Notes an arrival; True if it opened a gap that ``due`` now names."""
        if self._highest is None:
            self._highest = sequence
            return False
        delta = ((sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        if delta <= 0:
            self._missing.pop(sequence, None)
            return False
        if delta > MAX_GAP:
            self._missing.clear()
        else:
            for step in range(1, delta):
                self._missing[(self._highest + step) & 0xFFFF] = (0, 0.0)
        self._highest = sequence
        while len(self._missing) > MAX_GAP:
            del self._missing[next(iter(self._missing))]
        return delta > 1

    def due(self, now: float) -> list[int]:
        """Those to be asked for now, oldest first; one asked for too often is given up."""
        asked: list[int] = []
        for sequence, (tries, last) in list(self._missing.items()):
            if tries >= MAX_TRIES:
                del self._missing[sequence]
            elif now - last >= RETRY_SECONDS:
                self._missing[sequence] = (tries + 1, now)
                asked.append(sequence)
        return asked
