"""Runs the real supervisor over stand-in children, as a process of its own.

``python tests/servers/stand_ins.py PLAN READY``: PLAN is a JSON file with ``children`` (name to
Python source), ``steps`` (the same) and ``stop_order``; READY is written like the real ready file.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from consilium.launch.child import ChildSpec
from consilium.launch.supervision import StepFailed, Supervisor


def specs(sources: dict[str, str]) -> list[ChildSpec]:
    return [
        ChildSpec(name, (sys.executable, "-u", "-c", source), os.environ, stop_seconds=1.0)
        for name, source in sources.items()
    ]


def main() -> int:
    plan = json.loads(Path(sys.argv[1]).read_text())
    ready_file = Path(sys.argv[2])

    def changed(pids: dict[str, int]) -> None:
        fresh = ready_file.with_suffix(".new")
        fresh.write_text(json.dumps(pids))
        fresh.replace(ready_file)

    async def run() -> None:
        await Supervisor(
            specs(plan["children"]),
            steps=specs(plan.get("steps", {})),
            stop_order=plan.get("stop_order", []),
            say=lambda name, line: print(f"{name}| {line}", flush=True),
            changed=changed,
        ).run()

    try:
        asyncio.run(run())
    except StepFailed as problem:
        print(problem, flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
