"""The chat: who hears whom, and what is not passed on."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable

import pytest

from media_worker.chat import MAX_TEXT_BYTES, ChatRefused, read
from tests.media_worker.harness import Worker, eventually
from tests.media_worker.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


def say(person: Person, text: str) -> None:
    assert person.channel is not None
    person.channel.send(json.dumps({"text": text}))


async def ready(*people: Person) -> None:
    for person in people:
        await person.join()
    for person in people:
        await eventually(
            lambda who=person: who.channel is not None and who.channel.readyState == "open"
        )


async def test_everyone_else_in_the_room_hears_who_said_what(
    arrive: Callable[..., Person],
) -> None:
    one, other, third, elsewhere = arrive(), arrive(), arrive(), arrive(room=uuid.uuid4())
    await ready(one, other, third, elsewhere)
    say(one, "Grüße, 日本 👋")
    wanted = [{"from": str(one.id), "text": "Grüße, 日本 👋"}]
    await eventually(lambda: other.heard == third.heard == wanted)
    assert one.heard == elsewhere.heard == []


async def test_nobody_speaks_in_anothers_name(arrive: Callable[..., Person]) -> None:
    one, other = arrive(), arrive()
    await ready(one, other)
    assert one.channel is not None
    one.channel.send(json.dumps({"from": str(other.id), "text": "I agree"}))
    await eventually(lambda: one.heard == [{"error": "malformed"}])
    assert other.heard == []


async def test_a_sentence_too_long_comes_back(arrive: Callable[..., Person]) -> None:
    one, other = arrive(), arrive()
    await ready(one, other)
    say(one, "é" * (MAX_TEXT_BYTES // 2))
    say(one, "é" * (MAX_TEXT_BYTES // 2 + 1))
    await eventually(lambda: one.heard == [{"error": "too_long"}])
    await eventually(lambda: [len(said["text"]) for said in other.heard] == [2_048])


async def test_one_who_talks_too_fast_is_slowed(arrive: Callable[..., Person]) -> None:
    one, other = arrive(), arrive()
    await ready(one, other)
    for count in range(30):
        say(one, str(count))
    await eventually(lambda: len(one.heard) + len(other.heard) == 30)
    assert {"error": "rate"} in one.heard
    assert 10 <= len(other.heard) <= 14
    await asyncio.sleep(1.1)
    say(one, "again")
    await eventually(lambda: other.heard[-1]["text"] == "again")


async def test_other_channels_lead_nowhere(arrive: Callable[..., Person]) -> None:
    one, other = arrive(), arrive()
    offer = await one.offer()
    assert one.publish is not None
    files = one.publish.createDataChannel("files")
    one.epoch = 1
    await one.platform.lease(one.room, one.id, 1)
    await one.send_offer(offer)
    await ready(other)
    await eventually(lambda: files.readyState == "closed")
    say(one, "here")
    await eventually(lambda: [said["text"] for said in other.heard] == ["here"])


async def test_what_is_said_is_in_no_log(worker: Worker) -> None:
    for word in ("Grüße", "I agree", "again"):
        assert word not in worker.log


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b'{"text":"x"}', "malformed"),
        ("", "malformed"),
        ("null", "malformed"),
        ("[]", "malformed"),
        ('"text"', "malformed"),
        ("{}", "malformed"),
        ('{"text":1}', "malformed"),
        ('{"text":null}', "malformed"),
        ('{"text":"x","to":"y"}', "malformed"),
        ('{"text":"\\ud800"}', "malformed"),
        ("[" * 10_000, "malformed"),
        ('{"text":" \\n "}', "empty"),
        ('{"text":""}', "empty"),
        ('{"text":"' + "x" * 4_097 + '"}', "too_long"),
        ("x" * 100_000, "too_long"),
    ],
)
async def test_what_is_not_a_message(message: object, reason: str) -> None:
    with pytest.raises(ChatRefused, match=reason):
        read(message)
