"""Datagrams of those who were never told the password of a connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aioice import stun

from foundation.wire.browser import Link
from tests.media_worker.harness import Platform, Worker, eventually, udp_socket
from tests.media_worker.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: A DTLS 1.2 ClientHello as OpenSSL sends it, up to its extensions.
CLIENT_HELLO = (
    bytes.fromhex("16feff0000000000000000004c0100004000000000000000 40fefd".replace(" ", ""))
    + bytes(32)
    + bytes.fromhex("000000 0ac02bc02cc009c00ac02f0100 0000".replace(" ", ""))
)
FATAL_ALERT = bytes.fromhex("15fefd0000000000000001 00020228".replace(" ", ""))
CLOSE_NOTIFY = bytes.fromhex("15fefd0000000000000002 00020100".replace(" ", ""))


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    with udp_socket() as one:
        yield one


def connectivity_check(username: str, password: str, *, nominates: bool = False) -> bytes:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = username
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    if nominates:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(password.encode())
    return bytes(request)


def worker_address(sdp: str) -> tuple[str, int]:
    found = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", sdp)
    assert found is not None
    return found.group(1), int(found.group(2))


def connection_of(person: Person) -> Any:
    """aioice's side of what ``person`` publishes by."""
    assert person.publish is not None
    return person.publish.getTransceivers()[0].receiver.transport.transport._connection


async def answered(person: Person) -> tuple[str, int]:
    """Where the worker waits for ``person``, who has been answered but has sent nothing yet."""
    message = await person.platform.until(
        lambda m: (
            getattr(m, "link", None) is Link.PUBLISH
            and getattr(m, "participant", None) == person.id
            and hasattr(m, "description")
        )
    )
    return worker_address(message.description.sdp)  # type: ignore[attr-defined]


async def connected(person: Person) -> tuple[str, int]:
    """As ``answered``, when ``person`` has joined and is connected."""
    await person.join()
    await person.connected()
    return await answered(person)


async def test_strangers_end_no_session(
    call: tuple[Person, Person], stranger: socket.socket
) -> None:
    one, other = call
    at = await answered(other)
    for datagram in (b"", CLIENT_HELLO, FATAL_ALERT, CLOSE_NOTIFY, b"\x80" * 40, b"\x00", b"\xff"):
        for _ in range(20):
            stranger.sendto(datagram, at)
    await asyncio.sleep(0.2)
    await one.sees(other, more=10)


async def test_strangers_fail_no_handshake(
    arrive: Callable[..., Person], stranger: socket.socket, platform: Platform
) -> None:
    one = arrive()
    platform.listeners.remove(one._from_worker)
    await one.join()
    at = await answered(one)
    for datagram in (b"", CLIENT_HELLO, FATAL_ALERT, CLOSE_NOTIFY, b""):
        for _ in range(20):
            stranger.sendto(datagram, at)
    await asyncio.sleep(0.2)
    platform.listeners.append(one._from_worker)
    for message in list(platform.messages):
        one._from_worker(message)
    await one.connected()


async def test_a_flood_before_the_handshake_costs_no_memory(
    arrive: Callable[..., Person], stranger: socket.socket, platform: Platform, worker: Worker
) -> None:
    one = arrive()
    platform.listeners.remove(one._from_worker)
    await one.join()
    at = await answered(one)
    before = worker.memory_bytes
    flood = CLIENT_HELLO + bytes(1_100)
    for count in range(60_000):
        try:
            stranger.sendto(flood, at)
        except BlockingIOError:
            await asyncio.sleep(0)
        if count % 200 == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0.5)
    assert worker.memory_bytes - before < 16 * 2**20
    platform.listeners.append(one._from_worker)
    for message in list(platform.messages):
        one._from_worker(message)
    await one.connected()


async def test_an_empty_datagram_from_the_right_address_ends_nothing(
    call: tuple[Person, Person],
) -> None:
    one, other = call
    pair = connection_of(other)._nominated[1]
    for datagram in (b"", b"", b"\x14", b"\x17\xfe\xfd", b"\x80", b"\xbf\xc8", bytes(2_100)):
        pair.protocol.transport.sendto(datagram, pair.remote_addr)
    await asyncio.sleep(0.2)
    await one.sees(other, more=10)


async def test_checks_with_a_wrong_password_are_not_answered(
    arrive: Callable[..., Person], stranger: socket.socket
) -> None:
    one = arrive()
    at = await connected(one)
    assert one.publish is not None
    fragment = re.search(r"a=ice-ufrag:(\S+)", one.publish.remoteDescription.sdp)
    assert fragment is not None
    for username in (fragment.group(1) + ":abcd", "abcd:efgh", "x", ""):
        stranger.sendto(connectivity_check(username, "x" * 22, nominates=True), at)
    for datagram in (
        bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)),
        struct.pack("!HHI12s", 0x0001, 0xFFFF, stun.COOKIE, bytes(12)),
        struct.pack("!HHI12s", 0x0101, 4, stun.COOKIE, bytes(12)) + b"\x00\x20\x00\x00",
        struct.pack("!HHI12s", 0x0001, 8, stun.COOKIE, bytes(12)) + b"\x00\x24\x00\x01aaaa",
        os.urandom(100),
    ):
        stranger.sendto(datagram, at)
    await asyncio.sleep(0.3)
    with pytest.raises(BlockingIOError):
        stranger.recv(2_000)
    # And no address of theirs was learned: their DTLS is still nobody's.
    stranger.sendto(CLOSE_NOTIFY, at)
    await asyncio.sleep(0.1)
    assert one.publish.connectionState == "connected"


async def test_a_participant_cannot_make_the_worker_check_many_addresses(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one = arrive()
    at = await connected(one)
    connection = connection_of(one)
    username = f"{connection.remote_username}:{connection.local_username}"
    sockets = [udp_socket() for _ in range(60)]
    for each in sockets:
        each.sendto(connectivity_check(username, connection.remote_password), at)
    await asyncio.sleep(0.5)
    answers = 0
    for each in sockets:
        try:
            each.recv(2_000)
            answers += 1
        except BlockingIOError:
            pass
        each.close()
    assert 0 < answers <= 32


async def test_a_relay_may_come_from_another_address_than_it_announced(
    arrive: Callable[..., Person], stranger: socket.socket
) -> None:
    """As one behind a NAT does: it knows the password, and that is what counts (decision 22)."""
    one = arrive()
    await one.join(relay_only=True)
    at = await answered(one)
    await eventually(lambda: one.publish and connection_of(one).remote_password)
    connection = connection_of(one)
    username = f"{connection.remote_username}:{connection.local_username}"
    stranger.sendto(connectivity_check(username, connection.remote_password), at)
    answers: list[stun.Message] = []

    def has_answered() -> bool:
        with contextlib.suppress(BlockingIOError):
            answers.append(stun.parse_message(stranger.recv(2_000)))
        return any(answer.message_class is stun.Class.RESPONSE for answer in answers)

    await eventually(has_answered)
    # The worker's own check of that address follows.
    await eventually(lambda: has_answered() and answers[-1].message_class is stun.Class.REQUEST)


@pytest.mark.usefixtures("call")
async def test_the_worker_lives_on(worker: Worker) -> None:
    assert worker.process is not None
    assert worker.process.returncode is None
    assert "Traceback" not in worker.log
