"""Who may reach a peer connection, and whom it may reach: the sockets' side of ICE.

aioice hands every datagram that is not STUN to DTLS, whoever sent it, and keeps them without
bound. Here a datagram counts only if it comes from an address that has sent a connectivity check
with the right credentials (RFC 8445 section 7.3, RFC 8489 section 9.1) to this connection: those
went to the browser over its signaling and are known to nobody else.

Relies on aioice 0.13.0: ``Connection._queue``, ``_remote_candidates``, ``_valid_username``,
``_nominated``, ``_protocols``, ``local_password``, and that ``get_component_candidates`` opens all
sockets; ``check_incoming``; ``StunProtocol.transactions``, ``local_candidate``, ``id``;
``Transaction.__request`` and ``__addr``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from aioice import ice, stun
from aioice.candidate import Candidate, candidate_foundation, candidate_priority

from foundation.wire.sdp.addresses import may_be_sent_to
from media_worker.ports import NoPortFree, Ports

LOG = logging.getLogger("media_worker.guard")

#: Datagrams waiting for DTLS or SRTP: 300 ms of a 10 Mbit/s stream. More means that this process
#: cannot keep up, or that somebody floods before the handshake is done.
MAX_QUEUED = 512

#: No path carries a longer UDP payload for WebRTC; longer ones are only a burden.
MAX_DATAGRAM_BYTES = 2_048

#: Addresses of the browser's, signalled and discovered together. Each one costs checks.
MAX_REMOTE_CANDIDATES = 32

#: What the kernel keeps of a burst until this process reads it; aioice asks for as much.
RECEIVE_BUFFER_BYTES = 262_144

#: Bytes the kernel would not take yet, per socket. Beyond, packets are dropped as a router would.
MAX_UNSENT_BYTES = 1 << 20


class AddressPolicy:
    """Which addresses of others the worker sends to. Loopback only if it lives there itself."""

    def __init__(self, own_addresses: Iterable[str]) -> None:
        own = [ipaddress.ip_address(address) for address in own_addresses]
        self._loopback = all(address.is_loopback for address in own)

    def allows(self, host: str) -> bool:
        """Whether ``host`` is an IP address that connectivity checks may go to.

        Names, among them ``.local`` ones, are refused: resolving one sends packets on behalf of a
        stranger.
        """
        return may_be_sent_to(host, loopback=self._loopback)


class GuardedConnection(ice.Connection):
    """An ICE connection that answers only those who know its password."""

    #: Both are set once by ``stock.install``.
    policy = AddressPolicy(["127.0.0.1"])
    ports = Ports()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._verified: OrderedDict[tuple[int, str, int], None] = OrderedDict()

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 - aioice's, for servers that the worker has not
    ) -> list[Candidate]:
        """Host candidates alone, on ports that the worker may use: it has no STUN server or relay.

        An address that is not (or no more) this machine's is left out. Raises NoPortFree, and
        OSError if no address is left.
        """
        for address in addresses:
            try:
                await self._open(component, address)
            except NoPortFree:
                LOG.error("all UDP ports of CONSILIUM_WORKER_PORTS are taken")
                raise
            except OSError as error:
                LOG.error(
                    "an address of CONSILIUM_WORKER_ADDRESSES is of no use: %s", error.strerror
                )
        if not self._protocols:
            raise OSError("no address")
        return [protocol.local_candidate for protocol in self._protocols]

    async def _open(self, component: int, address: str) -> None:
        bound = self.ports.bind(address)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: GuardedStunProtocol(self), sock=bound
        )
        host, port = bound.getsockname()[:2]
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=host,
            port=port,
            type="host",
        )
        self._protocols.append(protocol)

    def request_received(
        self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol
    ) -> None:
        """Takes a check if it is authentic; anything else goes unanswered, as by a closed port."""
        attributes = message.attributes
        if (
            message.message_method != stun.Method.BINDING
            or not {"MESSAGE-INTEGRITY", "USERNAME", "PRIORITY"} <= attributes.keys()
            or not self._valid_username(attributes["USERNAME"])
            or not message.check_message_integrity(self.local_password.encode())
            or not self.policy.allows(addr[0])
        ):
            return
        known = any((c.host, c.port) == addr for c in self._remote_candidates)
        if not known and len(self._remote_candidates) >= MAX_REMOTE_CANDIDATES:
            return
        self._verified[protocol.id, *addr] = None
        while len(self._verified) > MAX_REMOTE_CANDIDATES:
            self._verified.popitem(last=False)
        super().request_received(message, addr, protocol)

    def check_incoming(
        self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol
    ) -> None:
        """The other side's check arrived, so the way is open now (RFC 8445 section 7.3.1.4).

        A check of our own that is under way was perhaps sent too early, and lost at a firewall
        that nothing had gone out through yet. aioice would repeat it after half a second, a second
        and so on; it is repeated at once.
        """
        super().check_incoming(message, addr, protocol)
        for transaction in list(protocol.transactions.values()):
            if transaction._Transaction__addr == addr:  # type: ignore[attr-defined] # noqa: SLF001
                protocol.send_stun(transaction._Transaction__request, addr)  # type: ignore[attr-defined] # noqa: SLF001

    def is_verified(self, protocol: ice.StunProtocol, addr: tuple[str, int]) -> bool:
        return (protocol.id, *addr) in self._verified

    @property
    def is_full(self) -> bool:
        return self._queue.qsize() >= MAX_QUEUED

    def send_now(self, data: bytes) -> bool:
        """Sends ``data`` on the nominated pair without waiting; False if that is not possible."""
        pair = self._nominated.get(1)
        if pair is None:
            return False
        socket: Any = pair.protocol.transport
        if socket.get_write_buffer_size() > MAX_UNSENT_BYTES:
            return False
        socket.sendto(data, pair.remote_addr)
        return True


class GuardedStunProtocol(ice.StunProtocol):
    """One UDP socket of a connection."""

    receiver: GuardedConnection

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        try:
            self._receive(bytes(data) if not isinstance(data, str) else b"", (addr[0], addr[1]))
        except Exception as error:  # noqa: BLE001 - a stranger's bytes must never end a socket
            LOG.debug("a datagram was dropped: %s", type(error).__name__)

    def _receive(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data or len(data) > MAX_DATAGRAM_BYTES:
            return
        first = data[0]  # RFC 7983: 0–3 STUN, 20–63 DTLS, 128–191 SRTP and SRTCP
        if first < 4:
            message = stun.parse_message(data)
            transaction = self.transactions.get(message.transaction_id)
            if message.message_class is stun.Class.REQUEST:
                self.receiver.request_received(message, addr, self)
            elif message.message_class is not stun.Class.INDICATION and transaction is not None:
                transaction.response_received(message, addr)
            return
        is_for_us = 20 <= first < 64 or 128 <= first < 192
        if is_for_us and self.receiver.is_verified(self, addr) and not self.receiver.is_full:
            self.receiver.data_received(data, self.local_candidate.component)
