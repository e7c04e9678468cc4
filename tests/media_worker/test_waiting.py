"""A worker that is up before its platform waits without alarm; a lost link is a warning."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.media_worker.harness import running_worker


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)


async def test_who_is_up_first_waits_in_one_line(tmp_path: Path) -> None:
    async with running_worker(tmp_path) as (platform, worker):
        await worker.terminate()
        await platform.stop()
        platform.linked.clear()
        worker.log_file.write_text("")
        await worker.start()
        await until(lambda: "waiting for the platform" in worker.log)
        await asyncio.sleep(1.5)  # what must not come: a line for each further attempt
        assert worker.log.count("waiting for the platform") == 1
        assert "WARNING" not in worker.log
        await platform.start()
        await asyncio.wait_for(platform.linked.wait(), 15)
        await until(lambda: "linked to the platform" in worker.log)
        await platform.stop()
        await until(lambda: "WARNING" in worker.log)
        assert "the link to the platform ended" in worker.log
