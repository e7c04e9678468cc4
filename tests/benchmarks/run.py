"""``make bench``: every figure from one run, each beside what it is measured against.

Prints a line for each and writes ``build/bench.json``: a list of ``{name, value, unit, beside,
ratio}``. ``ratio`` is value / beside; machines differ, ratios less so. ``make bench ONLY=call``
runs one group.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks import (  # noqa: E402 - the path comes first
    call,
    pipeline,
    playback,
    recording,
    sealing,
    signaling,
)
from tests.benchmarks.figures import Figure  # noqa: E402

GROUPS: dict[str, Callable[[Path], list[Figure]]] = {
    "call": call.measure,
    "playback": playback.measure,
    "signaling": signaling.measure,
    "recording": recording.measure,
    "sealing": sealing.measure,
    "pipeline": pipeline.measure,
}


def main() -> int:
    wanted = sys.argv[1:] or list(GROUPS)
    unknown = [name for name in wanted if name not in GROUPS]
    if unknown:
        print(f"no group {unknown[0]}; there are {', '.join(GROUPS)}")
        return 2
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            print(f"measuring {name} …", flush=True)
            for figure in GROUPS[name](Path(folder)):
                figures.append(figure)
                print(figure.line(), flush=True)
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([figure.row() for figure in figures], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
