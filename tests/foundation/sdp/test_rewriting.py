"""What is taken out of descriptions before they travel on."""

from __future__ import annotations

from foundation.wire import sdp
from tests.foundation.sdp.writing import HOST, MDNS, REFLEXIVE, RELAYED, RELAYED_6, offer


def test_relay_only_leaves_no_address_but_the_relays() -> None:
    lines = [HOST, MDNS, REFLEXIVE, RELAYED, RELAYED_6, "end-of-candidates"]
    one = offer({"candidates": lines, "line": "m=audio 54321 UDP/TLS/RTP/SAVPF 111"}, "sendrecv")
    one = one.replace("c=IN IP4 0.0.0.0", "c=IN IP4 192.168.7.9", 1)
    one = one.replace("a=rtcp:9 IN IP4 0.0.0.0", "a=rtcp:54322 IN IP4 192.168.7.9", 1)
    passed = sdp.check_peer_description(one, relay_only=True)
    assert "192.168" not in passed
    assert "203.0.113.5" not in passed
    assert ".local" not in passed
    assert "54321" not in passed
    assert "54322" not in passed
    assert "end-of-candidates" not in passed
    assert passed.count("a=candidate:") == 2
    assert "o=- 4611731400430051336 2 IN IP4 127.0.0.1" in passed
    assert sdp.check_peer_description(passed, relay_only=True) == passed


def test_without_relay_only_the_related_addresses_still_go() -> None:
    one = offer({"candidates": [HOST, REFLEXIVE]}, "sendrecv")
    passed = sdp.check_peer_description(one, relay_only=False)
    assert passed.count("a=candidate:") == 2
    assert "raddr 192" not in passed


def test_candidates_can_be_taken_out() -> None:
    rest, candidates = sdp.without_candidates(offer({"candidates": [HOST, RELAYED]}))
    assert candidates == [HOST, RELAYED]
    assert rest == offer()


def test_candidates_that_lead_nowhere_do_not_travel_on() -> None:
    loopback = HOST.replace("192.168.7.9", "127.0.0.1")
    relayed = RELAYED.replace("198.51.100.7", "169.254.169.254")
    one = offer({"candidates": [HOST, MDNS, RELAYED, loopback, relayed]}, "sendrecv")
    for relay_only, kept in ((False, 3), (True, 1)):
        passed = sdp.check_peer_description(one, relay_only)
        assert passed.count("a=candidate:") == kept
        assert "169.254" not in passed
        assert " 127.0.0.1 54321" not in passed
    passed = sdp.check_peer_description(one, relay_only=False, loopback=True)
    assert " 127.0.0.1 54321" in passed
    assert "169.254" not in passed
