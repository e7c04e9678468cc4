"""Descriptions that are refused, and what becomes of those who made them."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable

import pytest

from foundation.wire.browser import Link
from tests.media_worker.harness import Platform, Worker
from tests.media_worker.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAIT = "a=candidate:1 1 udp 2122260223 127.0.0.1 {} typ host\r\n"


def four_hundred_lines(sdp: str) -> str:
    section = "m=video" + sdp.split("m=video")[1]
    return sdp + "".join(
        re.sub(r"a=(rtcp-fb|rtpmap|fmtp|ssrc|extmap)\S* .*\r\n", "", section) for _ in range(400)
    )


HOSTILE: dict[str, Callable[[str], str]] = {
    "500 candidates": lambda s: s + "".join(BAIT.format(n + 1) for n in range(500)),
    "25 candidates": lambda s: s + "".join(BAIT.format(n + 1) for n in range(25)),
    "400 m-lines": lambda s: four_hundred_lines(s)[:49_000],
    "an m-line too few": lambda s: s[: s.index("m=application")],
    "another order": lambda s: s.replace("m=audio", "m=text"),
    "plain RTP": lambda s: s.replace("UDP/TLS/RTP/SAVPF", "RTP/AVPF"),
    "no fingerprint": lambda s: re.sub(r"a=fingerprint.*\r\n", "", s),
    "SHA-1": lambda s: re.sub(
        r"a=fingerprint.*\r\n", "a=fingerprint:sha-1 " + ":".join(["AB"] * 20) + "\r\n", s
    ),
    "no password": lambda s: re.sub(r"a=ice-pwd.*\r\n", "", s),
    "no bundle": lambda s: re.sub(r"a=group.*\r\n", "", s),
    "no VP8": lambda s: s.replace("VP8", "VP9"),
    "receives": lambda s: s.replace("a=sendonly", "a=sendrecv"),
    "no SDP": lambda s: "hello",
    "a hidden m-line": lambda s: s.replace("s=-", "s=-\x0bm=audio 9 RTP/AVP 0"),
    "what only aiortc chokes on": lambda s: s.replace("apt=97", "apt=x"),
}


async def test_hostile_offers_are_refused(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    async def check(what: str) -> None:
        one = arrive(room=uuid.uuid4())
        offer = await one.offer()
        one.epoch = 1
        await platform.lease(one.room, one.id, 1)
        await one.send_offer(HOSTILE[what](offer))
        try:
            await platform.until_path(one.id, Link.PUBLISH, "refused")
        except TimeoutError:
            pytest.fail(f"not refused: {what}")

    await asyncio.gather(*(check(what) for what in HOSTILE))


async def test_a_refused_one_is_out_and_the_others_stay(
    arrive: Callable[..., Person], call: tuple[Person, Person], platform: Platform
) -> None:
    (one, other), hostile = call, arrive()
    hostile.epoch = 1
    await platform.lease(hostile.room, hostile.id, 1)
    await hostile.send_offer("v=0\r\n")
    await platform.until_path(hostile.id, Link.PUBLISH, "refused")
    await one.sees(other, more=5)
    await hostile.join()
    await hostile.connected()
    await hostile.sees(one)


@pytest.mark.parametrize(
    "answer",
    [
        "v=0\r\n",
        "not an answer\r\n",
        "a=setup:actpass",
    ],
)
async def test_a_hostile_answer_ends_only_its_sender(
    answer: str, arrive: Callable[..., Person], call: tuple[Person, Person], platform: Platform
) -> None:
    (one, other), hostile = call, arrive()
    platform.listeners.remove(hostile._from_worker)
    await hostile.join(publish=False)
    offered = await platform.until(
        lambda m: getattr(m, "participant", None) == hostile.id and hasattr(m, "description")
    )
    text = offered.description.sdp  # type: ignore[attr-defined]
    if answer.startswith("a="):
        hostile_answer = text.replace("a=sendonly", "a=recvonly")
    else:
        hostile_answer = answer + "m=audio 9 x 0\r\n" * text.count("\r\nm=")
    platform.listeners.append(hostile._from_worker)
    await platform.describe(
        hostile.room, hostile.id, Link.SUBSCRIBE, "answer", hostile_answer, epoch=1
    )
    await platform.until_path(hostile.id, Link.SUBSCRIBE, "refused")
    await one.sees(other, more=5)


async def test_an_answer_nobody_asked_for_changes_nothing(
    call: tuple[Person, Person], platform: Platform
) -> None:
    one, other = call
    await platform.describe(one.room, one.id, Link.SUBSCRIBE, "answer", "v=0", epoch=1)
    await platform.describe(one.room, one.id, Link.SUBSCRIBE, "offer", "v=0", epoch=1)
    await platform.describe(one.room, one.id, Link.PEER, "offer", "v=0", epoch=1)
    await platform.describe(one.room, one.id, Link.PUBLISH, "offer", "v=0", epoch=1)
    await one.sees(other, more=5)


async def test_signaling_for_nobody_is_dropped(
    arrive: Callable[..., Person], platform: Platform, worker: Worker
) -> None:
    nobody = arrive()
    for _ in range(100):
        await platform.describe(nobody.room, nobody.id, Link.PUBLISH, "offer", "v=0")
        await platform.candidate(nobody.room, nobody.id, Link.PUBLISH, "candidate:")
    await asyncio.sleep(0.2)
    assert worker.process is not None
    assert worker.process.returncode is None


async def test_the_answer_is_lean_and_strong(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one = arrive()
    await one.join()
    await one.connected()
    assert one.publish is not None
    answer = one.publish.remoteDescription.sdp
    assert set(re.findall(r"a=fingerprint:(\S+)", answer)) == {"sha-256"}
    assert set(re.findall(r"a=rtpmap:\d+ (\S+)", answer)) == {
        "opus/48000/2",
        "VP8/90000",
        "rtx/90000",
    }
    assert "useinbandfec=1" in answer
    assert answer.count("a=candidate") == 1
