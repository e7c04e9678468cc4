"""The test relay is a real one, and as closed as the one we tell hospitals to run."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint

from tests.servers.coturn import Coturn


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    server = Coturn(Path(tmp_path_factory.mktemp("coturn")), "servers-coturn")
    server.start()
    yield server
    server.stop()


class Heard(asyncio.DatagramProtocol):
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.datagrams: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.datagrams.put_nowait((data, addr))


async def allocate(relay: Coturn, transport: str, credential: tuple[str, str] | None = None):
    username, password = credential or relay.credential()
    trust = ssl.create_default_context(cafile=str(relay.tls.authority))
    over_tls = transport == "tls"
    return await create_turn_endpoint(
        Heard,
        ("localhost", relay.tls_port) if over_tls else ("127.0.0.1", relay.port),
        username,
        password,
        ssl=trust if over_tls else None,
        transport="tcp" if over_tls else transport,
    )


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_it_relays_both_ways(relay: Coturn, transport: str) -> None:
    loop = asyncio.get_running_loop()
    far, far_heard = await loop.create_datagram_endpoint(Heard, local_addr=("127.0.0.1", 0))
    near, near_heard = await allocate(relay, transport)
    try:
        near.sendto(b"there", far.get_extra_info("sockname"))
        data, address = await asyncio.wait_for(far_heard.datagrams.get(), 5)
        assert data == b"there"
        assert address == near.get_extra_info("sockname")
        far.sendto(b"and back", address)
        data, _ = await asyncio.wait_for(near_heard.datagrams.get(), 5)
        assert data == b"and back"
    finally:
        near.close()
        far.close()


@pytest.mark.parametrize("seconds", [-10, None])
async def test_expired_and_wrong_credentials_are_refused(
    relay: Coturn, seconds: int | None
) -> None:
    credential = relay.credential(seconds=seconds) if seconds else (relay.credential()[0], "wrong")
    with pytest.raises(TransactionFailed) as caught:
        await allocate(relay, "udp", credential)
    assert caught.value.response.attributes["ERROR-CODE"][0] == 401


@pytest.mark.parametrize("peer", ["10.0.0.1", "169.254.169.254", "127.0.0.2", "192.0.2.1"])
async def test_peers_that_are_not_named_are_denied(relay: Coturn, peer: str) -> None:
    near, _ = await allocate(relay, "udp")
    try:
        near.sendto(b"hello", (peer, 9))
        await asyncio.to_thread(relay.wait_for_log, rf"A peer IP {re.escape(peer)} denied", 5)
    finally:
        near.close()
