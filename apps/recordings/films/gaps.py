"""What is missing of a recording: the manifest's ``gaps``, still by place and source.

Thousands of short losses would fill a manifest, so neighbours are told as one; how near they must
be to be neighbours grows until a source has no more than ``_MOST`` gaps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from foundation.sealing import records
from foundation.sealing.records import EVERY_STREAM, GapReason, Source
from recordings.films.clock import ceil_ms, floor_ms

_REASONS = {
    GapReason.PACKETS_LOST: "lost",
    GapReason.WORKER_BEHIND: "behind",
    GapReason.PAUSED: "paused",
    GapReason.CONSENT_WITHDRAWN: "withdrawn",
    GapReason.SPOOL_FULL: "spool",
    GapReason.WORKER_AWAY: "away",
}
#: Place, source, reason.
_Name = tuple[UUID | None, str | None, GapReason]
_NEAR_US = 1_000_000
_MOST = 500


@dataclass(frozen=True, slots=True)
class Gap:
    """Milliseconds of the recording in which something is missing; without a place, everything."""

    from_ms: int
    to_ms: int
    place: UUID | None
    #: ``camera``, ``microphone`` or ``screen``; None for everything.
    source: str | None
    reason: str


@dataclass(slots=True)
class _Span:
    from_us: int
    to_us: int


class Gaps:
    """Collects the gaps of one run, on its clock."""

    def __init__(self) -> None:
        self._spans: dict[_Name, list[_Span]] = {}
        self._near_us: dict[_Name, int] = {}

    def add(self, gap: records.Gap, sources: dict[int, Source]) -> None:
        name: _Name = (None, None, gap.reason)
        if gap.stream != EVERY_STREAM:
            source = sources[gap.stream]
            name = (source.place, source.kind.name.lower(), gap.reason)
        spans = self._spans.setdefault(name, [])
        spans.append(_Span(gap.from_us, gap.to_us))
        if len(spans) > 2 * _MOST:
            near_us = self._near_us.get(name, _NEAR_US)
            while len(joined := _joined(spans, near_us)) > _MOST:
                near_us *= 2
            self._spans[name], self._near_us[name] = joined, near_us

    def on_recording(self, offset_us: int) -> Iterable[Gap]:
        for name, spans in self._spans.items():
            place, source, reason = name
            for span in _joined(spans, self._near_us.get(name, _NEAR_US)):
                yield Gap(
                    floor_ms(span.from_us + offset_us),
                    ceil_ms(span.to_us + offset_us),
                    place,
                    source,
                    _REASONS[reason],
                )


def _joined(spans: list[_Span], near_us: int) -> list[_Span]:
    joined: list[_Span] = []
    for span in sorted(spans, key=lambda s: (s.from_us, s.to_us)):
        if joined and span.from_us - joined[-1].to_us <= near_us:
            joined[-1].to_us = max(joined[-1].to_us, span.to_us)
        else:
            joined.append(_Span(span.from_us, span.to_us))
    return joined


def between(runs: Iterable[tuple[int, int]]) -> Iterable[Gap]:
    """What no run covered: runs' beginnings and ends on the recording's clock, in microseconds."""
    covered_us: int | None = None
    for begins_us, ends_us in sorted(runs):
        if covered_us is not None and begins_us > covered_us:
            yield Gap(floor_ms(covered_us), ceil_ms(begins_us), None, None, "away")
        covered_us = max(ends_us, covered_us or 0)


def in_order(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """In the order of time."""
    return tuple(sorted(gaps, key=lambda g: (g.from_ms, g.to_ms, str(g.place), str(g.source))))
