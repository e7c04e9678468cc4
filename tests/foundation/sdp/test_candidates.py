"""Which candidates may be passed on, and what is taken out of them."""

from __future__ import annotations

import pytest

from foundation.wire import sdp
from tests.foundation.sdp.writing import (
    HOST,
    MDNS,
    REFLEXIVE,
    RELAYED,
    RELAYED_6,
    media,
    offer,
    refusal,
    text,
)


def test_twenty_four_candidates_pass_and_one_more_does_not() -> None:
    lines = [HOST.replace("54321", str(50_000 + n)) for n in range(25)]
    assert sdp.check_publish_offer(offer({"candidates": lines[:24]}))
    assert refusal(sdp.check_publish_offer, offer({"candidates": lines})) == "candidates"


def test_candidates_of_all_m_lines_count_together() -> None:
    def line(number: int) -> str:
        return HOST.replace("54321", str(50_000 + number))

    sections = [
        media(kind, str(n), candidates=[line(7 * n + step) for step in range(7)])
        for n, kind in enumerate(sdp.PUBLISH_SHAPE)
    ]
    assert refusal(sdp.check_publish_offer, text(*sections)) == "candidates"


def test_a_candidate_repeated_in_every_m_line_counts_once() -> None:
    lines = [HOST.replace("54321", str(50_000 + n)) for n in range(10)]
    sections = [media(kind, str(n), candidates=lines) for n, kind in enumerate(sdp.PUBLISH_SHAPE)]
    assert sdp.check_publish_offer(text(*sections))
    assert sdp.without_candidates(text(*sections))[1] == lines


def test_a_malformed_candidate_spoils_the_description() -> None:
    one = offer({"candidates": ["candidate:1 1 udp x 192.0.2.1 5 typ host"]})
    assert refusal(sdp.check_publish_offer, one) == "candidate"


def test_a_candidate_in_the_session_part_is_refused() -> None:
    sections = [media(kind, str(n)) for n, kind in enumerate(sdp.PUBLISH_SHAPE)]
    one = text(*sections, session=(f"a={HOST}",))
    assert refusal(sdp.check_publish_offer, one) == "candidate"


@pytest.mark.parametrize("line", [HOST, MDNS, REFLEXIVE, RELAYED, RELAYED_6])
def test_related_addresses_and_networks_are_taken_out(line: str) -> None:
    cleaned = sdp.check_candidate(line, relay_only=False)
    assert cleaned is not None
    assert "raddr 192" not in cleaned
    assert "db8::99" not in cleaned
    assert "network" not in cleaned
    assert cleaned.split(" typ ")[0] == line.split(" typ ", maxsplit=1)[0]


def test_a_relayed_candidate_says_nothing_of_who_is_behind_it() -> None:
    assert sdp.check_candidate("a=" + RELAYED + "\r\n", relay_only=True) == (
        "candidate:4 1 udp 41885439 198.51.100.7 60000 typ relay raddr 0.0.0.0 rport 0"
        " generation 0 ufrag abcd"
    )
    cleaned = sdp.check_candidate(RELAYED_6, relay_only=True)
    assert cleaned is not None
    assert cleaned.endswith("typ relay raddr :: rport 0")


@pytest.mark.parametrize("line", [HOST, MDNS, REFLEXIVE, HOST.replace("typ host", "typ prflx")])
def test_relay_only_passes_nothing_else(line: str) -> None:
    assert sdp.check_candidate(line, relay_only=True) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 1 192.0.2.1 5",
        "candidate:1 1 udp 1 192.0.2.1 5 typ",
        "candidate:1 1 udp 1 192.0.2.1 5 typ evil",
        "candidate:1 0 udp 1 192.0.2.1 5 typ host",
        "candidate:1 257 udp 1 192.0.2.1 5 typ host",
        "candidate:1 1 udp 0 192.0.2.1 5 typ host",
        "candidate:1 1 udp 2147483648 192.0.2.1 5 typ host",
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
        "candidate:1 1 ssl 1 192.0.2.1 5 typ host",
        "candidate:1 1 udp 1 evil.example 5 typ host",
        "candidate:1 1 udp 1 169.254.169.254.nip.io 5 typ host",
        "candidate:1 1 udp 1 local 5 typ host",
        "candidate:1 1 udp 1 a.b.local 5 typ host",
        "candidate:1 1 udp 1 0x7f.1 5 typ host",
        "candidate:1 1 udp 1 192.0.2.1 5 typ host odd",
        "candidate:1 1 udp 1 192.0.2.1 5 typ host\r\na=candidate:2 1 udp 1 10.0.0.1 5 typ host",
        "candidate:1 1 udp 1 fe80::1%eth0 5 typ host",
        HOST + " x" * 300,
        "candidate:1 1 udp 1 ١٢٧.0.0.1 5 typ host",
    ],
)
def test_malformed_candidates_are_not_passed_on(line: str) -> None:
    assert sdp.check_candidate(line, relay_only=False) is None


@pytest.mark.parametrize(
    "tail", ["raddr 10.0.0.2", "rport 7", "raddr 10.0.0.1 rport 5 raddr 10.0.0.2", "x 10.0.0.2"]
)
def test_no_address_hides_among_the_extensions(tail: str) -> None:
    line = f"candidate:1 1 udp 1 192.0.2.1 5 typ relay {tail}"
    cleaned = sdp.check_candidate(line, relay_only=True)
    assert cleaned is not None
    assert "10.0.0" not in cleaned


#: No other machine can be sent to at these, or nobody's browser lives there.
NOWHERE = [
    "127.0.0.1",
    "127.8.9.10",
    "::1",
    "::ffff:127.0.0.1",
    "0.0.0.0",
    "::",
    "169.254.1.1",
    "169.254.169.254",
    "fd00:ec2::254",
    "fe80::1",
    "224.0.0.251",
    "ff02::fb",
    "240.0.0.1",
    "255.255.255.255",
]


def at(address: str, kind: str = "host") -> str:
    return f"candidate:1 1 udp 1 {address} 5000 typ {kind}"


@pytest.mark.parametrize("kind", ["host", "srflx", "relay"])
@pytest.mark.parametrize("address", NOWHERE)
def test_no_browser_is_led_nowhere(address: str, kind: str) -> None:
    line = sdp.check_candidate(at(address, kind), relay_only=False)
    assert line is not None
    assert not sdp.leads_to_a_machine(line, loopback=False)


@pytest.mark.parametrize("line", [HOST, MDNS, REFLEXIVE, RELAYED, RELAYED_6, at("10.0.0.5")])
def test_a_browser_is_led_to_machines_and_to_mdns_names(line: str) -> None:
    assert sdp.leads_to_a_machine(line, loopback=False)


def test_loopback_is_a_machine_where_everybody_is_on_one() -> None:
    leading = [one for one in NOWHERE if sdp.leads_to_a_machine(at(one), loopback=True)]
    assert leading == ["127.0.0.1", "127.8.9.10", "::1"]
