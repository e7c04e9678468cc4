"""Arrival times of a browser's packets, sent back so that its own estimator can run.

Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1): every
packet of a connection carries one running number; the receiver reports when each arrived. aiortc
has only REMB, whose estimate fell to 100 kbit/s on an idle loopback.
"""

from __future__ import annotations

import struct

URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

#: Payload-independent feedback, format 15.
PACKET_TYPE = 205
FORMAT = 15

#: libwebrtc sends feedback every 50 to 250 ms.
INTERVAL_SECONDS = 0.06

#: Packets one report speaks of at most; 100 ms of 40 Mbit/s. A wider gap starts a new count.
MAX_PACKETS = 400

_TICKS_PER_SECOND = 4_000  # 250 µs
_TICKS_PER_REFERENCE = 256  # 64 ms
_NOT_RECEIVED, _SMALL, _LARGE = 0, 1, 2


class Arrivals:
    """What has arrived of one connection since the last report."""

    def __init__(self) -> None:
        self._base: int | None = None
        self._highest = 0
        self._ticks: dict[int, int] = {}
        self._reports = 0

    def add(self, number: int, arrival: float) -> None:
        """Packet ``number`` (16 bit) arrived at ``arrival`` (monotonic seconds)."""
        if self._base is None:
            self._base = self._highest = number
        extended = self._highest + ((number - self._highest + 0x8000) & 0xFFFF) - 0x8000
        self._highest = max(self._highest, extended)
        if extended >= self._base and len(self._ticks) < MAX_PACKETS:
            self._ticks.setdefault(extended, int(arrival * _TICKS_PER_SECOND))

    def report(self, own_ssrc: int, media_ssrc: int) -> bytes | None:
        """The RTCP packet about what arrived since the last one; None if nothing did."""
        if not self._ticks or self._base is None:
            return None
        numbers = sorted(self._ticks)
        first = self._base if numbers[-1] - self._base < MAX_PACKETS else numbers[0]
        reference = self._ticks[numbers[0]] // _TICKS_PER_REFERENCE
        before = reference * _TICKS_PER_REFERENCE
        symbols: list[int] = []
        deltas = b""
        for number in range(first, min(numbers[-1] + 1, first + MAX_PACKETS)):
            ticks = self._ticks.get(number)
            delta = ticks - before if ticks is not None else 0
            if ticks is None or not -0x8000 <= delta <= 0x7FFF:
                symbols.append(_NOT_RECEIVED)
                continue
            before = ticks
            if 0 <= delta <= 0xFF:
                symbols.append(_SMALL)
                deltas += struct.pack("!B", delta)
            else:
                symbols.append(_LARGE)
                deltas += struct.pack("!h", delta)
        self._base = first + len(symbols)
        self._ticks.clear()
        body = struct.pack("!LLHH", own_ssrc, media_ssrc, first & 0xFFFF, len(symbols))
        body += ((reference & 0xFFFFFF) << 8 | self._reports).to_bytes(4, "big")
        body += _chunks(symbols) + deltas
        self._reports = (self._reports + 1) & 0xFF
        return _packet(body)


def _chunks(symbols: list[int]) -> bytes:
    """Status chunks: runs where seven or more are equal, else vectors of seven (3.1.1 to 3.1.4)."""
    chunks = b""
    at = 0
    while at < len(symbols):
        run = 1
        while at + run < len(symbols) and symbols[at + run] == symbols[at]:
            run += 1
        if run >= 7:
            chunks += struct.pack("!H", symbols[at] << 13 | run)
            at += run
            continue
        vector = 0b11 << 14
        for place, symbol in enumerate(symbols[at : at + 7]):
            vector |= symbol << (12 - 2 * place)
        chunks += struct.pack("!H", vector)
        at += 7
    return chunks


def _packet(body: bytes) -> bytes:
    """``body`` as an RTCP packet, padded to whole words (RFC 3550 section 6.4.1)."""
    missing = -len(body) % 4
    padding = bytes(missing - 1) + bytes((missing,)) if missing else b""
    first = 0x80 | (0x20 if missing else 0) | FORMAT
    words = (len(body) + missing) // 4
    return struct.pack("!BBH", first, PACKET_TYPE, words) + body + padding
