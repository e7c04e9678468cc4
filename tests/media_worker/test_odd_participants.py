"""People who were let in and then send what no browser sends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import uuid
from collections.abc import Callable
from typing import Any

import pylibsrtp
import pytest
from aiortc.codecs.opus import OpusDecoder
from aiortc.rtp import is_rtcp

from foundation.wire.browser import Link
from tests.media_worker.harness import Worker
from tests.media_worker.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def goes_on_after_an_empty_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty frame, as one whose full packet came too late, is the end to the watcher's decoder.

    A packet of no bytes flushes libavcodec for good. Browsers take it for a lost one.
    """
    stock = OpusDecoder.decode
    monkeypatch.setattr(
        OpusDecoder, "decode", lambda self, frame: stock(self, frame) if frame.data else []
    )


def transport_of(person: Person) -> Any:
    assert person.publish is not None
    return person.publish.getTransceivers()[0].receiver.transport


def between_packets(person: Person, odd: Callable[[bytes, int], bytes]) -> None:
    """After each packet ``person`` sends, one that ``odd`` makes of its header and number.

    Each stream is numbered anew from 0: doubled numbers that wrap would be refused by SRTP as old.
    """
    first: dict[bytes, int] = {}
    transport = transport_of(person)
    send = transport._send_rtp

    async def doubled(data: bytes) -> None:
        if is_rtcp(data):
            await send(data)
            return
        number = struct.unpack("!H", data[2:4])[0]
        sequence = (number - first.setdefault(data[8:12], number)) & 0x7FFF
        await send(data[:2] + struct.pack("!H", 2 * sequence) + data[4:])
        await send(odd(data, 2 * sequence + 1))

    transport._send_rtp = doubled


def head(data: bytes, sequence: int, first: int = 0x80) -> bytes:
    return bytes((first, data[1] & 0x7F)) + struct.pack("!H", sequence) + data[4:12]


#: Those a browser may send as well: pictures go on.
DECENT: dict[str, Callable[[bytes, int], bytes]] = {
    "an empty payload": head,
    "padding only": lambda d, n: head(d, n, 0xA0) + bytes(9) + b"\x0a",
}

#: Those that leave a hole or a picture nobody can decode: packets go on.
ODD: dict[str, Callable[[bytes, int], bytes]] = {
    "padding longer than the packet": lambda d, n: head(d, n, 0xA0) + b"\xff",
    "padding of nothing": lambda d, n: head(d, n, 0xA0) + bytes(4),
    "a truncated extension": lambda d, n: head(d, n) + b"\xbe\xde\x00\xff",
    "an extension of a wrong size": lambda d, n: (
        head(d, n, 0x90) + b"\xbe\xde\x00\x02\x15ab\xff\xfe\x00\x00\x00" + b"x"
    ),
    "a name that is no UTF-8": lambda d, n: head(d, n, 0x90) + b"\xbe\xde\x00\x01\x11\xff\xfe\x00",
    "sources that are not there": lambda d, n: head(d, n, 0x8F) + bytes(60),
    "one byte of VP8": lambda d, n: head(d, n) + b"\x10",
    "a descriptor that never ends": lambda d, n: head(d, n) + b"\x90\xff\xff",
    "an unknown payload type": lambda d, n: b"\x80\x7f" + head(d, n)[2:] + b"abc",
}


async def joined_with(odd: Callable[[bytes, int], bytes], one: Person, other: Person) -> None:
    offer = await other.offer()
    between_packets(other, odd)
    await one.join()
    other.epoch = 1
    await other.platform.lease(other.room, other.id, 1)
    await other.send_offer(offer)


async def test_pictures_go_on_after_what_is_odd_but_decent(arrive: Callable[..., Person]) -> None:
    async def check(odd: Callable[[bytes, int], bytes]) -> None:
        room = uuid.uuid4()
        one, other = arrive(room=room), arrive(room=room)
        await joined_with(odd, one, other)
        await one.sees(other, more=10, seconds=8)
        await one.hears(other, more=20)

    await asyncio.gather(*(check(odd) for odd in DECENT.values()))


async def test_packets_go_on_after_what_is_not(arrive: Callable[..., Person]) -> None:
    async def check(what: str) -> None:
        room = uuid.uuid4()
        one, other = arrive(room=room), arrive(room=room)
        await joined_with(ODD[what], one, other)
        before = 0
        for wanted in (1, 30):
            for _ in range(100):
                if await video_packets(one) >= before + wanted:
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail(f"no packets any more after {what}")
            before = await video_packets(one)

    await asyncio.gather(*(check(what) for what in ODD))


async def video_packets(watcher: Person) -> int:
    if watcher.subscribe is None:
        return 0
    report = await watcher.subscribe.getStats()
    return sum(
        entry.packetsReceived
        for entry in report.values()
        if entry.type == "inbound-rtp" and entry.kind == "video"
    )


async def test_odd_rtcp_harms_nobody(call: tuple[Person, Person]) -> None:
    one, other = call
    transport = transport_of(other)
    for packet in (
        b"\x80\xc8\x00\x00",
        b"\x81\xc9\xff\xff",
        b"\x8f\xcd\x00\x02" + bytes(8),
        b"\x81\xce\x00\x02" + bytes(8),
        b"\x8f\xce\x00\x04" + bytes(8) + b"REMB\xff\xff\xff\xff",
        b"\x80\xcb\x00\x00" * 100,
        b"\xa0\xc9\x00\x01\x00\x00\x00\xff",
        b"\x80\xc9" + os.urandom(200),
    ):
        with contextlib.suppress(pylibsrtp.Error):  # too short to be encrypted
            await transport._send_rtp(packet)
    await one.sees(other, more=5)


async def test_a_watcher_that_asks_for_everything_gets_a_little(
    call: tuple[Person, Person],
) -> None:
    one, other = call
    assert one.subscribe is not None
    transport = one.subscribe.getTransceivers()[1].receiver.transport
    ssrcs = list(transport._rtp_router.ssrc_table)
    for ssrc in ssrcs:
        pli = struct.pack("!BBHLL", 0x81, 206, 2, 1, ssrc)
        nack = struct.pack("!BBHLL", 0x81, 205, 102, 1, ssrc)
        nack += b"".join(struct.pack("!HH", 17 * n & 0xFFFF, 0xFFFF) for n in range(100))
        for _ in range(50):
            await transport._send_rtp(pli)
            await transport._send_rtp(nack)
    await one.sees(other, more=5)


async def test_breaking_the_data_channel_harms_nobody(
    call: tuple[Person, Person], worker: Worker
) -> None:
    one, other = call
    assert other.publish is not None
    assert other.channel is not None
    sctp = other.publish.sctp
    stock = sctp._data_channel_receive

    async def forgiving(*message: Any) -> None:
        with contextlib.suppress(AssertionError):  # the worker may acknowledge what was not opened
            await stock(*message)

    sctp._data_channel_receive = forgiving
    before = worker.memory_bytes
    opening = struct.pack("!BBHLHH", 3, 0, 0, 0, 1, 0) + b"x"
    await sctp._send(other.channel.id, 50, opening)  # opens an open channel
    await sctp._send(7, 50, struct.pack("!BBHLHH", 3, 0, 0, 0, 500, 500) + b"\xff\xfe")
    for stream in range(20, 120):
        await sctp._send(stream, 50, opening)
    await sctp._send(other.channel.id, 51, b"\xff\xfe no UTF-8")
    await transport_of(other)._send_data(os.urandom(60))
    await sctp._send(other.channel.id, 51, bytes(4_000_000))
    await asyncio.sleep(1)
    assert worker.memory_bytes - before < 16 * 2**20
    await one.sees(other, more=5)


async def test_too_much_signaling_is_dropped_and_the_rest_goes_on(
    call: tuple[Person, Person],
) -> None:
    one, other = call
    for _ in range(500):
        await other.platform.describe(other.room, other.id, Link.PUBLISH, "offer", "v=0", epoch=1)
    await one.sees(other, more=5)


async def test_nothing_of_all_this_was_logged_in_full(worker: Worker) -> None:
    assert "Traceback" not in worker.log
    assert worker.process is not None
    assert worker.process.returncode is None
