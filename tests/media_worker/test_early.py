"""Signaling that overtakes its lease waits for it, within bounds."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from foundation.wire.browser import Link
from foundation.wire.worker import ServerCandidate
from media_worker import early
from media_worker.early import EarlySignals
from tests.media_worker.harness import Platform
from tests.media_worker.people import Person

ROOM, SOMEBODY = uuid.uuid4(), uuid.uuid4()


def candidate(number: int = 0, who: uuid.UUID = SOMEBODY, epoch: int = 1) -> ServerCandidate:
    return ServerCandidate(
        room=ROOM, participant=who, epoch=epoch, link=Link.PUBLISH, candidate=f"candidate:{number}"
    )


@pytest.mark.asyncio(loop_scope="module")
async def test_an_offer_that_overtakes_its_lease_is_answered(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one, other = arrive(), arrive()
    await other.join()
    await other.connected()
    offer = await one.offer()
    one.epoch = 1
    await one.send_offer(offer)
    await platform.lease(one.room, one.id, 1)
    await one.connected()
    await one.connected(Link.SUBSCRIBE)
    # And so does one for the next attempt, while the one before is still held.
    await one.leave()
    offer = await one.offer()
    one.epoch = 2
    await one.send_offer(offer)
    await platform.lease(one.room, one.id, 2)
    await one.connected()


def test_what_waited_is_taken_once_and_in_order() -> None:
    signals = EarlySignals()
    for number in range(3):
        signals.keep(candidate(number))
    signals.keep(candidate(7, epoch=2))
    taken = signals.take(ROOM, SOMEBODY, 1)
    assert [message.candidate for message in taken] == [f"candidate:{n}" for n in range(3)]  # type: ignore[union-attr]
    assert signals.take(ROOM, SOMEBODY, 1) == []
    assert len(signals.take(ROOM, SOMEBODY, 2)) == 1


def test_there_is_an_end_to_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(early.time, "monotonic", lambda: now[0])
    signals = EarlySignals()
    for number in range(early.MAX_MESSAGES + 5):
        signals.keep(candidate(number))
    assert len(signals.take(ROOM, SOMEBODY, 1)) == early.MAX_MESSAGES
    people = [uuid.uuid4() for _ in range(early.MAX_AWAITED + 1)]
    for who in people:
        signals.keep(candidate(who=who))
    assert signals.take(ROOM, people[0], 1) == []
    now[0] += early.KEPT_SECONDS - 1
    assert len(signals.take(ROOM, people[1], 1)) == 1
    now[0] += 2
    assert signals.take(ROOM, people[2], 1) == []
