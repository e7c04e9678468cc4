"""The relay delivers at least once, by topic, and wakes when something was committed."""

from __future__ import annotations

import asyncio
import logging

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, transaction

from outbox import claims, sweeper, topics
from outbox.models import OutboxRow
from outbox.publishing import publish
from outbox.relay import POLL_SECONDS, Relay


async def on_this_thread(call, *args):
    """``in_database`` for a test that came in by ``async_to_sync``."""
    return await sync_to_async(call)(*args)


@pytest.fixture
def relay(db, monkeypatch) -> Relay:
    from outbox import publishing
    from outbox import relay as relaying

    # The test's transaction is open on this thread's connection; a pool's would not see it.
    monkeypatch.setattr(relaying, "in_database", on_this_thread)
    relay = Relay()
    yield relay
    publishing._wakers.remove(relay._nudge)


@pytest.fixture
def arrived(monkeypatch) -> list[dict]:
    """What was delivered under the topic ``tests`` and as a task."""
    arrived: list[dict] = []

    async def take(payload: dict) -> None:
        if payload.get("fails"):
            raise ConnectionError("nobody there")
        arrived.append(payload)

    monkeypatch.setitem(topics._deliverers, "tests", take)
    monkeypatch.setitem(topics._deliverers, topics.TASK_TOPIC, take)
    return arrived


def owe(topic: str = "tests", **payload: object) -> None:
    with transaction.atomic():
        publish(topic, None, payload)


def deliver(relay: Relay, topic: str = "tests") -> int:
    return async_to_sync(relay.deliver_owed)(topic)


def test_owed_rows_are_delivered_in_order_and_once(relay, arrived):
    for n in range(3):
        owe(n=n)
    assert deliver(relay) == 3
    assert arrived == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert deliver(relay) == 0
    assert not OutboxRow.objects.filter(delivered_at__isnull=True).exists()


def test_two_relays_deliver_a_row_once(relay, arrived):
    owe(n=1)
    other = Relay()
    assert deliver(relay) + deliver(other) == 1
    assert arrived == [{"n": 1}]


def test_a_failed_delivery_stays_owed_and_holds_up_nobody(relay, arrived, caplog):
    owe(fails=True)
    owe(n=2)
    with caplog.at_level(logging.CRITICAL):
        deliver(relay)
    assert arrived == [{"n": 2}]
    row = OutboxRow.objects.get(delivered_at__isnull=True)
    assert row.attempts == 1
    OutboxRow.objects.filter(pk=row.pk).update(claimed_at=None, payload={"n": 1})
    deliver(relay)
    assert arrived == [{"n": 2}, {"n": 1}]


def test_a_topic_that_nobody_delivers_stays_owed(relay, arrived):
    owe(topic="nobody")
    deliver(relay, "nobody")
    assert OutboxRow.objects.filter(delivered_at__isnull=True).count() == 1


async def never(payload: dict) -> None:
    """A broker that has taken the connection and says nothing."""
    await asyncio.Event().wait()


def test_a_broker_that_does_not_answer_holds_up_no_hint(relay, arrived, monkeypatch):
    monkeypatch.setitem(topics._deliverers, topics.TASK_TOPIC, never)
    owe(topics.TASK_TOPIC, name="tests.task", args=[])
    owe(n=1)

    async def run() -> None:
        relay.ensure_running()
        await until(relay, lambda: arrived)
        with_transaction = sync_to_async(owe)
        await with_transaction(n=2)
        await until(relay, lambda: len(arrived) == 2)
        relay._background.cancel()

    async_to_sync(run)()
    assert arrived == [{"n": 1}, {"n": 2}]
    assert OutboxRow.objects.get(topic=topics.TASK_TOPIC).delivered_at is None


def test_a_delivery_is_given_up_when_its_claim_has_lapsed(relay, arrived, monkeypatch, caplog):
    from outbox import relay as relaying

    assert relaying.DELIVERY_SECONDS <= claims.CLAIM_SECONDS
    monkeypatch.setattr(relaying, "DELIVERY_SECONDS", 0.01)
    monkeypatch.setitem(topics._deliverers, topics.TASK_TOPIC, never)
    owe(topics.TASK_TOPIC, name="first", args=[])
    owe(topics.TASK_TOPIC, name="second", args=[])
    deliver(relay, topics.TASK_TOPIC)
    assert OutboxRow.objects.filter(delivered_at__isnull=True).count() == 2
    [line] = [record.getMessage() for record in caplog.records]
    assert line == "nobody takes topic task at the moment; it stays owed"


def test_the_sweeper_delivers_tasks_that_no_relay_claimed(relay, arrived):
    owe(topics.TASK_TOPIC, name="tests.task", args=["1"])
    owe(n=1)
    assert sweeper.sweep() == 1
    assert arrived == [{"name": "tests.task", "args": ["1"]}]
    assert sweeper.sweep() == 0
    assert claims.owed() == list(
        OutboxRow.objects.filter(topic="tests").values_list("pk", flat=True)
    ), "hints are left to the web processes"


def test_the_sweeper_leaves_alone_what_a_relay_is_delivering(arrived, db):
    from uuid import uuid4

    owe(topics.TASK_TOPIC, name="tests.task", args=[])
    claims.claim(claims.owed(), uuid4())
    assert sweeper.sweep() == 0
    assert arrived == []


def test_one_task_that_fails_keeps_no_other_from_being_swept(arrived, db):
    owe(topics.TASK_TOPIC, fails=True)
    owe(topics.TASK_TOPIC, name="tests.task", args=[])
    sweeper.sweep()
    assert arrived == [{"name": "tests.task", "args": []}]
    assert OutboxRow.objects.filter(delivered_at__isnull=True).count() == 1


async def until(relay: Relay, condition) -> float:
    """How long it took; at most a second."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not condition() and loop.time() - began < 1:
        await asyncio.sleep(0.001)
    return loop.time() - began


async def test_a_commit_wakes_the_relay_before_it_would_poll(monkeypatch):
    from outbox import publishing
    from outbox import relay as relaying

    monkeypatch.setattr(relaying, "POLL_SECONDS", 30)
    relay = Relay()
    rounds = 0

    monkeypatch.setattr(relaying, "delivered_topics", lambda: ["tests"])

    async def deliver_owed(topic: str) -> int:
        nonlocal rounds
        rounds += 1
        return 0

    monkeypatch.setattr(relay, "deliver_owed", deliver_owed)
    relay.ensure_running()
    relay.ensure_running()
    try:
        await until(relay, lambda: rounds == 1)
        assert rounds == 1, "one relay per process"
        # From a thread, as every commit of Django's is.
        await asyncio.get_running_loop().run_in_executor(None, publishing._wakers[-1], "tests")
        assert await until(relay, lambda: rounds == 2) < 0.5
        assert rounds == 2
        # Of another topic: not this lane's business.
        await asyncio.get_running_loop().run_in_executor(None, publishing._wakers[-1], "task")
        await asyncio.sleep(0.05)
        assert rounds == 2
    finally:
        relay._background.cancel()
        publishing._wakers.remove(relay._nudge)


async def test_a_database_that_is_away_does_not_end_the_relay(monkeypatch):
    from outbox import publishing
    from outbox import relay as relaying

    monkeypatch.setattr(relaying, "POLL_SECONDS", 0.01)
    relay = Relay()
    rounds = 0

    monkeypatch.setattr(relaying, "delivered_topics", lambda: ["tests"])

    async def deliver_owed(topic: str) -> int:
        nonlocal rounds
        rounds += 1
        raise DatabaseError("away")

    monkeypatch.setattr(relay, "deliver_owed", deliver_owed)
    relay.ensure_running()
    try:
        await until(relay, lambda: rounds >= 3)
        assert rounds >= 3
        assert relay._background.is_running
    finally:
        relay._background.cancel()
        publishing._wakers.remove(relay._nudge)


def test_a_row_of_another_process_is_seen_soon():
    assert POLL_SECONDS <= 0.25


def test_publishing_wakes_only_after_the_commit(relay, django_capture_on_commit_callbacks):
    woken: list[str] = []
    relay._nudge = woken.append  # type: ignore[method-assign]
    from outbox import publishing

    publishing._wakers.append(relay._nudge)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            owe(n=1)
            assert not woken
        assert woken == ["tests"]
        woken.clear()
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            publish("tests", None, {})
            transaction.set_rollback(True)
        assert not woken
    finally:
        publishing._wakers.pop()
        del relay._nudge


def test_what_the_house_owes_has_a_deliverer():
    assert topics.deliverer_of(topics.GROUP_TOPIC)
    assert topics.deliverer_of(topics.TASK_TOPIC)
    with pytest.raises(KeyError):
        topics.deliverer_of("nobody")
