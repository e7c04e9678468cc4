"""What a process does beside its connections is done once, however many ask for it."""

from __future__ import annotations

import asyncio

from foundation.background import Background


async def test_it_runs_once_however_many_ask() -> None:
    begun = 0
    go = asyncio.Event()

    async def work() -> None:
        nonlocal begun
        begun += 1
        await go.wait()

    background = Background("tests", work)
    for _ in range(5):
        background.ensure_running()
    await asyncio.sleep(0)
    assert begun == 1
    assert background.is_running
    background.cancel()


async def test_it_can_be_asked_for_again_when_it_has_ended() -> None:
    ended: list[int] = []

    async def work() -> None:
        ended.append(len(ended))

    background = Background("tests", work)
    for _ in range(2):
        background.ensure_running()
        while background.is_running:
            await asyncio.sleep(0)
    assert ended == [0, 1]


async def test_work_that_failed_can_be_asked_for_again() -> None:
    attempts = 0

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise ConnectionError

    background = Background("tests", work)
    for _ in range(2):
        background.ensure_running()
        while background.is_running:
            await asyncio.sleep(0)
    assert attempts == 2
