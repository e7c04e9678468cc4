"""Whose clock counts: the platform's, an hour ahead of the worker's machine or behind it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from foundation.wire.browser import Link
from media_worker.clock import Clock, TimeUnknown
from tests.media_worker.harness import Platform, Worker, eventually, running_worker
from tests.media_worker.people import Person, in_a_call, on_loopback

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR = 3_600.0


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def emptied(platform: Platform) -> AsyncIterator[None]:
    """Every test begins with equal clocks and empty rooms."""
    yield
    await set_clock(platform, 0)
    await platform.revoke_everyone()


async def set_clock(platform: Platform, ahead_seconds: float) -> None:
    """Sets the platform's clock; returns when the worker has been told."""
    platform.ahead_seconds = ahead_seconds
    # Renewals come one after another, and the answer to each is on its way before the next is read.
    after = len(platform.renewals)
    await eventually(lambda: len(platform.renewals) >= after + 2)


async def holds(platform: Platform, number: int) -> None:
    """Returns when the worker says that it holds ``number`` participants."""
    after = len(platform.renewals)
    await eventually(lambda: any(r.participants == number for r in platform.renewals[after:]))


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_a_worker_whose_clock_is_an_hour_off_links_and_carries_a_call(
    tmp_path_factory: pytest.TempPathFactory, ahead: float
) -> None:
    on_loopback()
    directory = tmp_path_factory.mktemp("off")
    async with running_worker(directory, ahead_seconds=ahead) as (platform, worker):
        room = uuid.uuid4()
        one, other = Person(platform, room), Person(platform, room)
        try:
            await in_a_call(one, other)
            assert len(platform.hellos) == 1
            assert "refused" not in worker.log
        finally:
            for person in (one, other):
                await person.gone()


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_a_clock_that_steps_in_the_middle_of_a_call_ends_nothing(
    linked: tuple[Platform, Worker], step: float
) -> None:
    platform, _ = linked
    room = uuid.uuid4()
    one, other = Person(platform, room), Person(platform, room)
    try:
        await one.join(seconds=20)
        await set_clock(platform, step)
        await other.join(seconds=20)
        await one.sees(other)
        # The lease of the one who was there before can be prolonged, and the worker dials in anew.
        await platform.lease(room, one.id, 1, seconds=20)
        await platform.drop_link()
        await asyncio.wait_for(platform.linked.wait(), 5)
        assert len(platform.hellos[-1].present) == 2
        await one.sees(other)
        assert platform.states_of(one.id) <= {"connected"}
        assert platform.states_of(other.id) <= {"connected"}
    finally:
        for person in (one, other):
            await person.gone()


@pytest.mark.parametrize(("before", "after"), [(0, -HOUR), (HOUR, 0), (0, HOUR)])
async def test_a_lease_lasts_as_long_as_it_said_whatever_is_set_meanwhile(
    linked: tuple[Platform, Worker], before: float, after: float
) -> None:
    platform, _ = linked
    await set_clock(platform, before)
    room, short, prolonged = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    await platform.lease(room, short, seconds=3)
    await platform.lease(room, prolonged, seconds=3)
    await holds(platform, 2)
    await set_clock(platform, after)
    await platform.lease(room, prolonged, seconds=7)
    await platform.until_path(short, Link.PUBLISH, "failed", seconds=6)
    assert not platform.states_of(prolonged)
    await platform.until_path(prolonged, Link.PUBLISH, "failed", seconds=9)


async def test_an_old_lease_does_not_come_back_when_the_clock_does(
    linked: tuple[Platform, Worker],
) -> None:
    platform, worker = linked
    old = platform.token(uuid.uuid4(), uuid.uuid4(), seconds=60)
    before = worker.log.count("a lease was refused: expired")
    await set_clock(platform, HOUR)
    await platform.send_text(f'{{"type":"lease","token":"{old}"}}')
    await eventually(lambda: worker.log.count("a lease was refused: expired") == before + 1)


# ---------------------------------------------------------------- the clock itself


class Steady:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 5_000.0

    def __call__(self) -> float:
        return self.seconds


async def test_time_goes_on_from_what_was_told() -> None:
    steady = Steady()
    clock = Clock(steady)
    clock.tell(1_800_000_000.0)
    steady.seconds += 90
    assert clock.now() == 1_800_000_090.0
    clock.tell(1_799_996_400.5)
    steady.seconds += 1
    assert clock.now() == 1_799_996_401.5


async def test_nothing_is_judged_before_the_time_was_told() -> None:
    with pytest.raises(TimeUnknown):
        Clock().now()
