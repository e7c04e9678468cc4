"""What one publishes the others get, whoever comes and goes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable

import pytest

from foundation.wire.browser import Link
from foundation.wire.worker import CloseRoom, Revoke
from tests.media_worker.harness import Platform, Worker, eventually
from tests.media_worker.people import Person, brightness, in_a_call, streams_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_two_people_see_and_hear_each_other(arrive: Callable[..., Person]) -> None:
    one, other = arrive(60), arrive(200)
    await one.join()
    await other.join()
    assert abs(brightness(await one.sees(other)) - 200) < 20
    assert abs(brightness(await other.sees(one)) - 60) < 20
    await one.hears(other)
    await other.hears(one)


async def test_one_who_is_alone_gets_no_offer(arrive: Callable[..., Person]) -> None:
    alone = arrive()
    await alone.join()
    await alone.connected()
    await asyncio.sleep(0.3)
    assert alone.offers == []


async def test_one_who_publishes_nothing_sees_the_others(arrive: Callable[..., Person]) -> None:
    silent, speaker = arrive(), arrive(90)
    await speaker.join()
    await speaker.connected()
    await silent.join(publish=False)
    assert abs(brightness(await silent.sees(speaker)) - 90) < 20


async def test_a_late_joiner_sees_a_picture_within_a_second(arrive: Callable[..., Person]) -> None:
    one, late = arrive(60), arrive()
    await one.join()
    await one.connected()
    await asyncio.sleep(1)
    await late.join()
    await late.connected(Link.SUBSCRIBE)
    start = time.monotonic()
    await late.sees(one, more=1)
    assert time.monotonic() - start < 1


async def test_everyone_has_three_lines_that_name_them(call: tuple[Person, Person]) -> None:
    one, other = call
    camera, screen = f"{other.id}.camera", f"{other.id}.screen"
    assert list(streams_of(one.offers[-1]).values()) == [camera, camera, screen]


async def test_seats_are_used_again_and_lines_do_not_grow(arrive: Callable[..., Person]) -> None:
    stays = arrive(60)
    await stays.join()
    for value in (100, 150, 200):
        guest = arrive(value)
        await guest.join()
        assert abs(brightness(await stays.sees(guest)) - value) < 20
        offers = len(stays.offers)
        await guest.platform.send(Revoke(room=guest.room, participant=guest.id, epoch=guest.epoch))
        await guest.gone()
        await eventually(lambda before=offers: len(stays.offers) > before)
        assert streams_of(stays.offers[-1]) == {}
    assert {offer.count("\r\nm=") for offer in stays.offers} == {3}


async def test_two_who_leave_and_one_who_comes_at_once(arrive: Callable[..., Person]) -> None:
    stays, first, second, third = arrive(), arrive(80), arrive(120), arrive(220)
    for person in (stays, first, second):
        await person.join()
    await stays.sees(first)
    await stays.sees(second)
    for person in (first, second):
        await person.platform.send(Revoke(room=person.room, participant=person.id, epoch=1))
    await third.join()
    assert abs(brightness(await stays.sees(third)) - 220) < 20
    assert stays.offers[-1].count("\r\nm=") <= 9


async def test_a_new_epoch_keeps_the_seat(arrive: Callable[..., Person]) -> None:
    stays, returns = arrive(), arrive(70)
    await stays.join()
    await returns.join()
    await stays.sees(returns)
    offers = len(stays.offers)
    # Their network went away: the old connections are not closed, only replaced.
    lost, returns.publish, returns.subscribe = (returns.publish, returns.subscribe), None, None
    returns.brightness = 210
    await returns.join()
    await returns.connected()
    await stays.sees(returns, more=8)
    assert abs(brightness(stays.last[f"{returns.id}.camera/video"]) - 210) < 20
    await returns.sees(stays)
    assert len(stays.offers) == offers
    for one in lost:
        await one.close()


async def test_a_higher_epoch_ends_the_lower_at_once(
    call: tuple[Person, Person], platform: Platform
) -> None:
    one, other = call
    await platform.lease(other.room, other.id, 2)
    await asyncio.sleep(0.5)
    seen = dict(one.frames)
    await asyncio.sleep(0.5)
    assert one.frames == seen


async def test_lower_epochs_are_ignored(arrive: Callable[..., Person], platform: Platform) -> None:
    one, other = arrive(), arrive()
    other.epoch = 4
    await in_a_call(one, other)
    await platform.lease(other.room, other.id, 4)
    await platform.describe(
        other.room, other.id, Link.PUBLISH, "offer", "v=0 of another epoch", epoch=4
    )
    await platform.send(Revoke(room=other.room, participant=other.id, epoch=4))
    await one.sees(other, more=10)


async def test_revoked_media_stops_at_once_and_stays_stopped(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one, other = arrive(), arrive()
    await one.join()
    token = platform.token(other.room, other.id, 1)
    await other.join()
    await one.sees(other)
    await platform.send(Revoke(room=other.room, participant=other.id, epoch=1))
    start = time.monotonic()
    last = -1
    while True:
        before, last = last, one.frames[f"{other.id}.camera/video"]
        if before == last:
            break
        await asyncio.sleep(0.2)
    assert time.monotonic() - start < 2
    await platform.send_text(f'{{"type":"lease","token":"{token}"}}')
    await asyncio.sleep(0.3)
    assert one.frames[f"{other.id}.camera/video"] == last


async def test_a_closed_room_is_over_for_all(
    call: tuple[Person, Person], platform: Platform
) -> None:
    one, other = call
    await platform.send(CloseRoom(room=one.room))
    await asyncio.sleep(0.5)
    seen = dict(one.frames), dict(other.frames)
    await asyncio.sleep(0.4)
    assert seen == (one.frames, other.frames)


async def test_a_lease_that_lapses_ends_the_media(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one, other = arrive(), arrive()
    await one.join()
    await other.join(seconds=2)
    await one.sees(other)
    await platform.until_path(other.id, Link.PUBLISH, "failed")


async def test_a_prolonged_lease_keeps_it_even_when_repeated(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one, other = arrive(), arrive()
    await one.join()
    token = platform.token(other.room, other.id, 1, 60)
    await other.join(seconds=2)
    for _ in range(3):
        await platform.send_text(f'{{"type":"lease","token":"{token}"}}')
    # An older, shorter one that comes late takes nothing back.
    await platform.lease(other.room, other.id, 1, 2)
    await asyncio.sleep(2.2)
    await one.sees(other)


async def test_an_epoch_that_failed_is_said_to_have_failed(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one = arrive()
    await one.join(seconds=1)
    await platform.until_path(one.id, Link.PUBLISH, "failed")
    before = len(platform.messages)
    await platform.lease(one.room, one.id, 1, 60)
    await eventually(
        lambda: any(getattr(m, "state", "") == "failed" for m in platform.messages[before:])
    )


async def test_a_browser_that_hangs_up_is_reported(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one = arrive()
    await one.join()
    await one.connected()
    await one.leave()
    await platform.until_path(one.id, Link.PUBLISH, "failed")


async def test_rooms_do_not_hear_each_other(arrive: Callable[..., Person]) -> None:
    one, elsewhere = arrive(), arrive(room=uuid.uuid4())
    await one.join()
    await elsewhere.join()
    await one.connected()
    await elsewhere.connected()
    await asyncio.sleep(0.4)
    assert one.offers == elsewhere.offers == []


async def test_no_log_line_tells_about_people(worker: Worker) -> None:
    for secret in ("candidate:", "a=ice", "127.0.0.1", "eyJ", "typ host", "Traceback"):
        assert secret not in worker.log, worker.log
