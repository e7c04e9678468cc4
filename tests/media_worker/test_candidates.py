"""Where connectivity checks go, and where they never go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest
from aioice import Candidate, ice, stun

from foundation.wire.browser import Link
from media_worker.guard import AddressPolicy, GuardedConnection
from tests.media_worker.harness import Platform, udp_socket
from tests.media_worker.people import Person
from tests.media_worker.test_strangers import connectivity_check

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def held() -> Iterator[contextlib.ExitStack]:
    """Sockets stay open to the end: a port that another test gets is still being checked."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def baits(held: contextlib.ExitStack) -> list[socket.socket]:
    """Sockets that hope to be sent to."""
    return [held.enter_context(udp_socket()) for _ in range(40)]


def was_sent_to(bait: socket.socket) -> bool:
    try:
        bait.recv(2_000)
    except BlockingIOError:
        return False
    return True


def line(bait: socket.socket, kind: str = "host", **change: str) -> str:
    port = bait.getsockname()[1]
    related = "" if kind == "host" else " raddr 10.9.9.9 rport 9"
    parts = {"transport": "udp", "address": "127.0.0.1", "component": "1"} | change
    return (
        f"candidate:{port} {parts['component']} {parts['transport']} 2122260223"
        f" {parts['address']} {port} typ {kind}{related}"
    )


async def published(one: Person, candidates: list[str], **claims: object) -> None:
    """``one`` offers with ``candidates`` only, and does not listen to the answer."""
    one.platform.listeners.remove(one._from_worker)
    offer = await one.offer()
    one.epoch = 1
    await one.platform.lease(one.room, one.id, 1, **claims)
    lines = [
        text
        for text in offer.split("\r\n")
        if not text.startswith(("a=candidate", "a=end-of-candidates"))
    ]
    first = next(n for n, text in enumerate(lines) if text.startswith("a=mid:"))
    lines[first:first] = [f"a={candidate}" for candidate in candidates]
    await one.send_offer("\r\n".join(lines))
    one.platform.listeners.append(one._from_worker)


async def test_signalled_addresses_are_checked(
    arrive: Callable[..., Person], baits: list[socket.socket], platform: Platform
) -> None:
    one = arrive()
    await published(one, [line(baits[0])])
    await platform.candidate(one.room, one.id, Link.PUBLISH, line(baits[1]), epoch=1)
    await asyncio.sleep(0.5)
    assert was_sent_to(baits[0])
    assert was_sent_to(baits[1])


async def test_relay_only_checks_relayed_addresses_only(
    arrive: Callable[..., Person], baits: list[socket.socket], platform: Platform
) -> None:
    one = arrive()
    await published(one, [line(baits[0]), line(baits[1], "srflx")], relay_only=True)
    for bait, kind in zip(baits[2:5], ("host", "srflx", "relay"), strict=True):
        await platform.candidate(one.room, one.id, Link.PUBLISH, line(bait, kind), epoch=1)
    await asyncio.sleep(0.5)
    assert [was_sent_to(bait) for bait in baits[:5]] == [False, False, False, False, True]


async def test_no_more_than_two_dozen_addresses_are_checked(
    arrive: Callable[..., Person], baits: list[socket.socket], platform: Platform
) -> None:
    one = arrive()
    await published(one, [line(bait) for bait in baits[:10]])
    for bait in baits[10:]:
        await platform.candidate(one.room, one.id, Link.PUBLISH, line(bait), epoch=1)
    await asyncio.sleep(1.2)
    assert sum(was_sent_to(bait) for bait in baits) == 24


async def test_odd_candidates_get_no_packet(
    arrive: Callable[..., Person], baits: list[socket.socket], platform: Platform
) -> None:
    one = arrive()
    await published(one, [])
    odd = [
        line(baits[0], "prflx"),
        line(baits[1], transport="tcp"),
        line(baits[2], component="2"),
        line(baits[3], address="localhost"),
        line(baits[4], address="0.0.0.0"),
        line(baits[5], address="::ffff:127.0.0.1"),
        line(baits[6]).replace("typ host", "typ hostile"),
        line(baits[7]).replace("2122260223", "99999999999"),
        "",
        "candidate:",
        "a" * 512,
    ]
    for candidate in odd:
        await platform.candidate(one.room, one.id, Link.PUBLISH, candidate, epoch=1)
    await platform.candidate(one.room, one.id, Link.PUBLISH, line(baits[8]), epoch=2)
    await platform.candidate(one.room, one.id, Link.PUBLISH, line(baits[9]), epoch=1)
    await asyncio.sleep(0.5)
    assert [was_sent_to(bait) for bait in baits[:10]] == [False] * 9 + [True]


async def test_candidates_may_come_before_the_description(
    arrive: Callable[..., Person], baits: list[socket.socket], platform: Platform
) -> None:
    one = arrive()
    offer = await one.offer()
    one.epoch = 1
    await platform.lease(one.room, one.id, 1)
    await platform.candidate(one.room, one.id, Link.PUBLISH, line(baits[0]), epoch=1)
    await one.send_offer(offer)
    await one.connected()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "169.254.1.1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "224.0.0.251",
        "ff02::fb",
        "240.0.0.1",
        "255.255.255.255",
        "6b2f2b9e-2a0c-4d0f-9a8c-1f9f5ab8b0aa.local",
        "localhost",
        "metadata.google.internal",
        "0x7f000001",
        "2130706433",
        "",
    ],
)
async def test_no_packet_goes_to(address: str) -> None:
    assert not AddressPolicy(["192.0.2.1"]).allows(address)


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.1", "198.51.100.7", "2001:db8::7"])
async def test_packets_may_go_to(address: str) -> None:
    assert AddressPolicy(["192.0.2.1"]).allows(address)


async def test_loopback_is_for_a_worker_that_lives_there() -> None:
    assert AddressPolicy(["127.0.0.1"]).allows("127.0.0.1")
    assert not AddressPolicy(["127.0.0.1", "192.0.2.1"]).allows("127.0.0.1")


async def test_a_check_is_repeated_at_once_when_the_other_sides_own_arrives(
    monkeypatch: pytest.MonkeyPatch, baits: list[socket.socket]
) -> None:
    """A firewall lets the first one in only after something went out (RFC 8445 7.3.1.4)."""
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    monkeypatch.setattr(stun, "RETRY_RTO", 600.0)  # never by the clock
    browser, loop = baits[0], asyncio.get_running_loop()
    worker = GuardedConnection(ice_controlling=False)
    worker.remote_username, worker.remote_password = "browser", "a-browsers-password-of-ice"
    await worker.gather_candidates()
    await worker.add_remote_candidate(Candidate.from_sdp(line(baits[0]).removeprefix("candidate:")))
    connecting = asyncio.create_task(worker.connect())
    try:
        lost = stun.parse_message(await asyncio.wait_for(loop.sock_recv(browser, 2_000), 10))
        assert lost.message_class is stun.Class.REQUEST
        own = worker.local_candidates[0]
        username = f"{worker.local_username}:browser"
        check = connectivity_check(username, worker.local_password, nominates=True)
        browser.sendto(check, (own.host, own.port))
        # Its answer, and our check once more.
        again = [
            stun.parse_message(await asyncio.wait_for(loop.sock_recv(browser, 2_000), 10))
            for _ in range(2)
        ]
        assert {message.message_class for message in again} == {
            stun.Class.RESPONSE,
            stun.Class.REQUEST,
        }
        assert lost.transaction_id in {message.transaction_id for message in again}
    finally:
        connecting.cancel()
        await worker.close()
