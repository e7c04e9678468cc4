"""What a process has cost, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_ms(pid: int) -> float:
    """All processor time of all its threads until now; not of its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000 / _TICKS


def memory_mb(name: str, pid: int | str = "self") -> float:
    """``VmRSS`` (now) or ``VmHWM`` (the most since ``forget_peak``)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1_024
    raise LookupError(name)


def forget_peak() -> None:
    """Of this process: ``VmHWM`` begins anew."""
    Path("/proc/self/clear_refs").write_text("5")
