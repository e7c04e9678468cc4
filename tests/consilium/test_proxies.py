"""Who a visitor is: a forwarded header is believed from a trusted proxy and from nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from consilium.proxies import TrustedProxies

PROXIES = ["192.0.2.1/32", "10.0.0.0/24", "2001:db8:1::/64"]


async def seen(
    peer: str | None,
    *forwarded: tuple[str, str],
    kind: str = "http",
    scheme: str = "https",
    trusted: list[str] = PROXIES,
) -> dict[str, Any]:
    """The scope that the application is given for a connection from ``peer``."""
    given: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        given.append(scope)

    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in forwarded]
    scope = {
        "type": kind,
        "client": [peer, 4711] if peer is not None else None,
        "headers": [(b"host", b"localhost"), *headers],
        **({"scheme": scheme} if kind == "http" else {}),
    }
    await TrustedProxies(application, trusted)(scope, None, None)
    return given[0]


async def visitor(peer: str, *forwarded: str) -> str:
    scope = await seen(peer, *(("X-Forwarded-For", value) for value in forwarded))
    return str(scope["client"][0])


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_stranger_cannot_choose_an_address(kind: str) -> None:
    claim = ("X-Forwarded-For", "203.0.113.9")
    scope = await seen("198.51.100.7", claim, ("X-Real-IP", "203.0.113.9"), kind=kind)
    assert scope["client"] == ["198.51.100.7", 4711]
    assert scope["headers"] == [(b"host", b"localhost")], "nobody behind can believe it by mistake"


async def test_nobody_is_trusted_unless_it_was_said() -> None:
    scope = await seen("127.0.0.1", ("X-Forwarded-For", "203.0.113.9"), trusted=[])
    assert scope["client"] == ["127.0.0.1", 4711]


@pytest.mark.parametrize("proxy", ["192.0.2.1", "10.0.0.77", "2001:db8:1::5", "::ffff:192.0.2.1"])
async def test_a_trusted_proxy_says_who_the_visitor_is(proxy: str) -> None:
    assert await visitor(proxy, "203.0.113.9") == "203.0.113.9"
    assert await visitor(proxy, "2001:db8:2::9") == "2001:db8:2::9"


@pytest.mark.parametrize("neighbour", ["192.0.2.2", "10.0.1.1", "2001:db8:2::5", "", "unix:"])
async def test_a_neighbour_of_a_trusted_proxy_is_a_stranger(neighbour: str) -> None:
    assert await visitor(neighbour, "203.0.113.9") == neighbour


async def test_what_the_visitor_wrote_before_the_proxy_does_not_count() -> None:
    assert await visitor("192.0.2.1", "203.0.113.1, 203.0.113.9") == "203.0.113.9"
    assert await visitor("192.0.2.1", "10.0.0.5, 203.0.113.9") == "203.0.113.9"
    assert await visitor("192.0.2.1", "203.0.113.1", "203.0.113.9") == "203.0.113.9"


async def test_a_visitor_behind_two_trusted_proxies_is_found() -> None:
    assert await visitor("192.0.2.1", "203.0.113.9, 10.0.0.5") == "203.0.113.9"
    assert await visitor("192.0.2.1", "203.0.113.1, 203.0.113.9, 10.0.0.5") == "203.0.113.9"


async def test_a_trusted_proxy_that_asks_itself_is_the_visitor() -> None:
    assert await visitor("192.0.2.1") == "192.0.2.1"
    assert await visitor("192.0.2.1", "10.0.0.5") == "10.0.0.5"


@pytest.mark.parametrize("garbage", ["", "unknown", "_hidden", "1.2.3", "a" * 9000, "\xff", "::%"])
async def test_what_is_no_address_ends_the_walk(garbage: str) -> None:
    assert await visitor("192.0.2.1", garbage) == "192.0.2.1"
    assert await visitor("192.0.2.1", f"203.0.113.9, {garbage}, 10.0.0.5") == "10.0.0.5"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8:2::9]:51234", "2001:db8:2::9"),
        ("[2001:db8:2::9]", "2001:db8:2::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
async def test_one_address_has_one_form(written: str, address: str) -> None:
    """Otherwise one visitor has as many throttles as there are ways to write an address."""
    assert await visitor("192.0.2.1", written) == address


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        ("192.0.2.1", "https", "https"),
        ("192.0.2.1", "http", "http"),
        ("192.0.2.1", "https, http", "http"),
        ("192.0.2.1", "gopher", "http"),
        ("198.51.100.7", "https", "http"),
    ],
)
async def test_only_a_trusted_proxy_says_that_tls_was_used(
    peer: str, proto: str, scheme: str
) -> None:
    scope = await seen(peer, ("X-Forwarded-Proto", proto), scheme="http")
    assert scope["scheme"] == scheme


async def test_a_connection_without_an_address_is_nobodys_proxy() -> None:
    scope = await seen(None, ("X-Forwarded-For", "203.0.113.9"))
    assert scope["client"] is None
