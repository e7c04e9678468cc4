"""Who a visitor is behind a proxy, decided once, before anything else sees the connection.

``X-Forwarded-For`` and ``X-Forwarded-Proto`` are whatever a stranger types, unless a proxy that
``CONSILIUM_TRUSTED_PROXIES`` names has written them. From such a proxy the visitor is the last
address in the list that is no trusted proxy itself: each proxy appends whom it saw, so everything
to the left of that one is the visitor's own claim.

What remains of the headers is taken away. Throttles, the trail and sign-in read the connection's
address, and nothing behind this can believe a header by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"

#: The first two are what is read, the others what some library reads one day.
_FORWARDED = {_FOR, _PROTO, b"forwarded", b"x-forwarded-host", b"x-forwarded-port", b"x-real-ip"}

# Some proxies write the port as well: 192.0.2.1:4711, [2001:db8::1]:4711.
_WITH_PORT = re.compile(r"(?P<v4>[0-9.]+):[0-9]{1,5}|\[(?P<v6>[^\]]+)\](:[0-9]{1,5})?")


class TrustedProxies:
    """ASGI middleware around the whole application, HTTP and WebSockets alike."""

    def __init__(self, inner: Application, networks: Iterable[str]) -> None:
        self.inner = inner
        self._networks = [ip_network(network) for network in networks]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await self.inner(self._as_it_is(scope), receive, send)

    def _as_it_is(self, scope: Scope) -> Scope:
        """``scope`` with the visitor's address and scheme, and without forwarded headers."""
        headers: Sequence[tuple[bytes, bytes]] = scope.get("headers", ())
        kept = [(name, value) for name, value in headers if name.lower() not in _FORWARDED]
        seen = {**scope, "headers": kept}
        peer = _address((scope.get("client") or [""])[0])
        if peer is None or not self._is_trusted(peer):
            return seen
        visitor = self._visitor(peer, _listed(headers, _FOR))
        if visitor != peer:
            seen["client"] = [str(visitor), 0]
        [*_, scheme] = _listed(headers, _PROTO) or [""]
        if scheme in {"http", "https"} and scope["type"] == "http":
            seen["scheme"] = scheme
        return seen

    def _visitor(self, peer: Address, hops: Sequence[str]) -> Address:
        """The last hop that no trusted proxy is; what is no address ends the walk."""
        nearest = peer
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                break
            nearest = address
            if not self._is_trusted(address):
                break
        return nearest

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _listed(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    """The items of a list header; several lines of it are one list (RFC 9110, 5.3)."""
    values = [value.decode("latin-1") for key, value in headers if key.lower() == name]
    return [item.strip() for item in ",".join(values).split(",")] if values else []


def _address(text: str) -> Address | None:
    if found := _WITH_PORT.fullmatch(text):
        text = found["v4"] or found["v6"]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket that listens on both families names IPv4 peers in IPv6's form.
    return getattr(address, "ipv4_mapped", None) or address
