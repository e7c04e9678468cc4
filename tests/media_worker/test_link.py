"""The connection to the platform comes and goes; the calls stay."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from foundation.wire.browser import Link
from foundation.wire.message import MAX_MESSAGE_BYTES
from foundation.wire.worker import Present
from tests.media_worker.harness import Platform, Worker, eventually, running_worker
from tests.media_worker.people import Person, in_a_call

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def emptied(platform: Platform) -> AsyncIterator[None]:
    yield
    await platform.revoke_everyone()


async def test_it_says_how_it_is_every_renewal(linked: tuple[Platform, Worker]) -> None:
    platform, _ = linked
    await eventually(lambda: len(platform.renewals) >= 3)
    assert platform.renewals[-1].participants == 0
    assert platform.renewals[-1].cpu_percent < 50
    assert platform.hellos[0].present == []
    await platform.lease(uuid.uuid4(), uuid.uuid4())
    await eventually(lambda: platform.renewals[-1].participants == 1)


async def test_a_lost_link_is_back_at_once_and_nobody_notices(
    linked: tuple[Platform, Worker],
) -> None:
    platform, _ = linked
    room = uuid.uuid4()
    one, other = Person(platform, room, 60), Person(platform, room, 200)
    await in_a_call(one, other)
    cut = time.monotonic()
    await platform.drop_link()
    await asyncio.wait_for(platform.linked.wait(), 5)
    assert platform.hello_times[-1] - cut < 0.5
    held = [Present(room=room, participant=p.id, epoch=1) for p in (one, other)]
    assert platform.hellos[-1].present == held
    await one.sees(other)
    # The platform is away for longer; the call goes on and what happened meanwhile is told.
    await platform.stop()
    platform.linked.clear()
    await one.sees(other, more=20)
    await other.leave()
    await asyncio.sleep(0.5)
    await platform.start()
    await asyncio.wait_for(platform.linked.wait(), 5)
    await platform.until_path(other.id, Link.PUBLISH, "failed")
    assert [p.participant for p in platform.hellos[-1].present] == [one.id]
    await one.gone()


async def test_an_offer_lost_with_the_link_is_made_again(
    linked: tuple[Platform, Worker],
) -> None:
    platform, _ = linked
    room = uuid.uuid4()
    one, other = Person(platform, room), Person(platform, room)
    await one.join()
    await one.connected()
    platform.listeners.remove(one._from_worker)
    await other.join()
    await other.connected()  # what it is answered is not lost
    await platform.until(
        lambda m: (
            getattr(m, "participant", None) == one.id and getattr(m, "link", None) is Link.SUBSCRIBE
        )
    )
    await platform.drop_link()
    platform.listeners.append(one._from_worker)
    await one.sees(other, seconds=3)
    for person in (one, other):
        await person.gone()


NONSENSE = [
    "not json",
    "{}",
    '{"type":"unheard"}',
    '{"type":"lease"}',
    '{"type":"lease","token":"x","more":1}',
    '{"type":"hello"}',
    "x" * (MAX_MESSAGE_BYTES + 1),
    "[" * 1_000,
]


async def test_a_platform_that_talks_nonsense_is_dialled_anew(
    linked: tuple[Platform, Worker],
) -> None:
    platform, worker = linked
    await platform.lease(uuid.uuid4(), uuid.uuid4())
    for nonsense in NONSENSE:
        hellos = len(platform.hellos)
        await platform.send_text(nonsense)
        await eventually(lambda before=hellos: len(platform.hellos) > before, 5)
        await eventually(platform.linked.is_set)
        assert len(platform.hellos[-1].present) == 1
    assert "Traceback" not in worker.log


async def test_leases_that_do_not_count_admit_nobody(linked: tuple[Platform, Worker]) -> None:
    platform, worker = linked
    room = uuid.uuid4()
    for token in (
        "x",
        platform.token(room, uuid.uuid4(), kid="other"),
        platform.token(room, uuid.uuid4(), worker=str(uuid.uuid4())),
        platform.token(room, uuid.uuid4(), seconds=-5),
    ):
        await platform.send_text(f'{{"type":"lease","token":"{token}"}}')
    await platform.lease(room, uuid.uuid4())
    await eventually(lambda: platform.renewals and platform.renewals[-1].participants == 1)
    assert worker.log.count("a lease was refused") == 4
    assert "eyJ" not in worker.log


async def test_it_knocks_politely_while_it_is_not_welcome(
    linked: tuple[Platform, Worker],
) -> None:
    platform, _ = linked
    before = len(platform.hellos)
    platform.welcomes = False
    await platform.drop_link()
    await asyncio.sleep(2.5)
    assert 2 <= len(platform.hellos) - before <= 8


async def test_it_stops_within_three_seconds_in_the_middle_of_a_call(tmp_path: Path) -> None:
    async with running_worker(tmp_path) as (platform, worker):
        room = uuid.uuid4()
        one, other = Person(platform, room), Person(platform, room)
        await in_a_call(one, other)
        asked = time.monotonic()
        assert await worker.terminate() == 0
        assert time.monotonic() - asked < 3
        for person in (one, other):
            await person.gone()


async def test_a_full_worker_refuses_the_next_one(tmp_path: Path) -> None:
    async with running_worker(tmp_path, CONSILIUM_WORKER_CAPACITY="2") as (platform, _):
        room, people = uuid.uuid4(), [uuid.uuid4() for _ in range(3)]
        for who in people:
            await platform.lease(room, who)
        await platform.until_path(people[2], Link.PUBLISH, "refused")
        # One who is there may come back with another epoch.
        await platform.lease(room, people[0], 2)
        await platform.lease(room, people[0], 3)
        await eventually(lambda: platform.renewals and platform.renewals[-1].participants == 2)
