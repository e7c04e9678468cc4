"""One measured figure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """``beside`` is the same measured for what it is compared with; None: with nothing."""

    name: str
    value: float
    unit: str
    beside: float | None = None
    spread: str = ""

    @property
    def ratio(self) -> float | None:
        return round(self.value / self.beside, 3) if self.beside else None

    def row(self) -> dict[str, object]:
        beside = round(self.beside, 3) if self.beside is not None else None
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "beside": beside,
            "ratio": self.ratio,
        }

    def line(self) -> str:
        compared = (
            f" beside {self.beside:.1f} {self.unit}: {self.ratio}×"
            if self.beside is not None
            else ""
        )
        return f"  {self.name:34} {self.value:9.1f} {self.unit}{compared}  {self.spread}"


def median(samples: list[float]) -> float:
    return statistics.median(samples)


def spread(samples: list[float]) -> str:
    return f"(n={len(samples)}, {min(samples):.0f} to {max(samples):.0f})"


def percentile(samples: list[float], share: float) -> float:
    """The sample below which ``share`` of all lie."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
