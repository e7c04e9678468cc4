"""What may pass as a session description: one friendly shape, and many that must not pass."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foundation.wire import sdp
from foundation.wire.sdp import SdpRefused

SHA_256 = "sha-256 " + ":".join(["AB"] * 32)
SHA_1 = "sha-1 " + ":".join(["AB"] * 20)

HOST = (
    "candidate:1 1 udp 2122260223 192.168.7.9 54321 typ host generation 0 ufrag abcd network-id 1"
)
MDNS = "candidate:2 1 udp 2122260223 6b2f2b9e-2a0c-4d0f-9a8c-1f9f5ab8b0aa.local 54321 typ host"
REFLEXIVE = (
    "candidate:3 1 udp 1686052607 203.0.113.5 54321 typ srflx raddr 192.168.7.9 rport 54321"
    " generation 0 network-cost 999"
)
RELAYED = (
    "candidate:4 1 udp 41885439 198.51.100.7 60000 typ relay raddr 192.168.7.9 rport 54321"
    " generation 0 ufrag abcd"
)
RELAYED_6 = "candidate:5 1 udp 41885439 2001:db8::7 60000 typ relay raddr 2001:db8::99 rport 5"

AUDIO = [
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 minptime=10;useinbandfec=1",
    "a=rtcp-fb:111 transport-cc",
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "a=ssrc:1111 cname:abc",
]
VIDEO = [
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:97 rtx/90000",
    "a=fmtp:97 apt=96",
    "a=rtcp-fb:96 nack pli",
    "a=ssrc-group:FID 2222 3333",
    "a=ssrc:2222 cname:abc",
    "a=ssrc:3333 msid:- abc",
]


def media(
    kind: str,
    mid: str,
    direction: str = "sendonly",
    *,
    candidates: list[str] | None = None,
    without: tuple[str, ...] = (),
    extra: tuple[str, ...] = (),
    setup: str = "actpass",
    line: str | None = None,
) -> list[str]:
    """One m-line as Chromium writes it, less the lines that start with ``without``."""
    heads = {
        "audio": "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "video": "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
        "application": "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    }
    lines = [line or heads[kind], "c=IN IP4 0.0.0.0"]
    lines += [f"a={one}" for one in candidates or []]
    lines += [
        "a=ice-ufrag:abcd",
        "a=ice-pwd:" + "p" * 24,
        "a=ice-options:trickle",
        f"a=fingerprint:{SHA_256}",
        f"a=setup:{setup}",
        f"a=mid:{mid}",
    ]
    if kind == "application":
        lines += ["a=sctp-port:5000", "a=max-message-size:262144"]
    else:
        lines += [f"a={direction}", "a=rtcp:9 IN IP4 0.0.0.0", "a=rtcp-mux"]
        lines += AUDIO if kind == "audio" else VIDEO
    lines = [one for one in lines if not one.startswith(without or ("\0",))]
    return lines + list(extra)


def text(*sections: list[str], session: tuple[str, ...] = (), bundle: str | None = None) -> str:
    mids = [one[6:] for section in sections for one in section if one.startswith("a=mid:")]
    lines = [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 192.168.7.9",
        "s=-",
        "t=0 0",
        bundle if bundle is not None else "a=group:BUNDLE " + " ".join(mids),
        "a=msid-semantic: WMS *",
        *session,
    ]
    return "\r\n".join([*lines, *(line for section in sections for line in section)]) + "\r\n"


def offer(first: dict[str, object] | None = None, direction: str = "sendonly") -> str:
    """A publish offer, or with ``sendrecv`` a private call's; ``first`` changes one m-line."""
    return text(
        media("audio", "0", direction, **(first or {})),  # type: ignore[arg-type]
        media("video", "1", direction),
        media("video", "2", direction),
        media("application", "3"),
    )


def answer(count: int = 3, **changes: object) -> str:
    kinds = ["audio", "video", "video"] * 30
    sections = [
        media(kinds[n], str(n), "recvonly", setup="active", **changes)  # type: ignore[arg-type]
        for n in range(count)
    ]
    return text(*sections)


def refusal(check: object, *arguments: object) -> str:
    with pytest.raises(SdpRefused) as caught:
        check(*arguments)  # type: ignore[operator]
    return caught.value.reason


# ---------------------------------------------------------------- friends


def test_a_browser_offer_passes_unchanged() -> None:
    assert sdp.check_publish_offer(offer()) == offer()


def test_bundle_only_lines_have_port_zero() -> None:
    one = media("video", "1", extra=("a=bundle-only",), line="m=video 0 UDP/TLS/RTP/SAVPF 96 97")
    passes = text(media("audio", "0"), one, media("video", "2"), media("application", "3"))
    assert sdp.check_publish_offer(passes)


def test_security_may_stand_in_the_session_part() -> None:
    without = ("a=fingerprint", "a=ice-ufrag", "a=ice-pwd", "a=setup")
    sections = [media(kind, str(n), without=without) for n, kind in enumerate(sdp.PUBLISH_SHAPE)]
    session = (
        f"a=fingerprint:{SHA_256}",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:" + "p" * 24,
        "a=setup:actpass",
    )
    assert sdp.check_publish_offer(text(*sections, session=session))


def test_an_answer_passes() -> None:
    assert sdp.check_answer(answer(36)) == answer(36)


def test_a_private_call_passes() -> None:
    assert sdp.check_peer_description(offer(direction="sendrecv"), relay_only=False)
    assert sdp.check_peer_description(offer({"setup": "active"}, "recvonly"), relay_only=False)


def test_line_feeds_alone_are_understood_and_mended() -> None:
    assert sdp.check_publish_offer(offer().replace("\r\n", "\n")) == offer()


# ---------------------------------------------------------------- shape


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [
        (("audio", "video", "video"), "shape"),
        (("audio", "video", "application", "video"), "shape"),
        (("video", "audio", "video", "application"), "shape"),
        (("audio", "video", "video", "application", "application"), "shape"),
        (("audio", "video", "video", "video", "application"), "shape"),
        (("audio",), "shape"),
        ((), "shape"),
    ],
)
def test_any_other_order_of_m_lines_is_refused(kinds: tuple[str, ...], reason: str) -> None:
    sections = [media(kind, str(n)) for n, kind in enumerate(kinds)]
    assert refusal(sdp.check_publish_offer, text(*sections)) == reason


def test_four_hundred_m_lines_are_refused() -> None:
    sections = [media("video", str(n), without=("a=ssrc", "a=rtcp-fb")) for n in range(400)]
    assert refusal(sdp.check_publish_offer, text(*sections)) in {"size", "lines", "shape"}


def test_too_many_m_lines_are_refused_in_an_answer() -> None:
    tiny = ["m=audio 9 UDP/TLS/RTP/SAVPF 111"]
    assert refusal(sdp.check_answer, text(*[tiny] * 65)) == "shape"


def test_an_answer_without_media_or_with_data_is_refused() -> None:
    assert refusal(sdp.check_answer, text()) == "shape"
    data = text(media("audio", "0", "recvonly", setup="active"), media("application", "1"))
    assert refusal(sdp.check_answer, data) == "shape"


@pytest.mark.parametrize("direction", ["sendrecv", "recvonly", "inactive"])
def test_a_publisher_only_sends(direction: str) -> None:
    assert refusal(sdp.check_publish_offer, offer(direction=direction)) == "direction"


@pytest.mark.parametrize("direction", ["sendrecv", "sendonly"])
def test_a_subscriber_sends_nothing(direction: str) -> None:
    one = text(media("audio", "0", direction, setup="active"))
    assert refusal(sdp.check_answer, one) == "direction"


def test_two_directions_are_refused() -> None:
    one = offer({"extra": ("a=recvonly",)})
    assert refusal(sdp.check_publish_offer, one) == "direction"


# ---------------------------------------------------------------- security


@pytest.mark.parametrize(
    "profile",
    ["RTP/AVP", "RTP/AVPF", "RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "udp/tls/rtp"],
)
def test_media_without_dtls_is_refused(profile: str) -> None:
    one = offer({"line": f"m=audio 9 {profile} 111"})
    assert refusal(sdp.check_publish_offer, one) == "profile"


@pytest.mark.parametrize("head", ["DTLS/SCTP 5000", "TCP/DTLS/SCTP webrtc-datachannel"])
def test_data_without_dtls_over_udp_is_refused(head: str) -> None:
    sections = [media(kind, str(n)) for n, kind in enumerate(sdp.PUBLISH_SHAPE[:3])]
    data = media("application", "3", line=f"m=application 9 {head}")
    assert refusal(sdp.check_publish_offer, text(*sections, data)) == "profile"


@pytest.mark.parametrize(
    "fingerprints",
    [
        (),
        (f"a=fingerprint:{SHA_1}",),
        (f"a=fingerprint:{SHA_256}", f"a=fingerprint:{SHA_1}"),
        ("a=fingerprint:sha-256 AB:CD",),
        ("a=fingerprint:sha-256 " + ":".join(["GG"] * 32),),
        ("a=fingerprint:md5 " + ":".join(["AB"] * 16),),
        ("a=fingerprint:sha-512 " + ":".join(["AB"] * 64),),
        ("a=fingerprint",),
        (f"a=fingerprint:{SHA_256}",) * 9,
    ],
)
def test_only_a_sha_256_fingerprint_will_do(fingerprints: tuple[str, ...]) -> None:
    one = offer({"without": ("a=fingerprint",), "extra": fingerprints})
    assert refusal(sdp.check_publish_offer, one) == "fingerprint"


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("a=ice-ufrag", "ice-ufrag"),
        ("a=ice-pwd", "ice-pwd"),
        ("a=setup", "setup"),
        ("a=mid", "mid"),
        ("a=rtcp-mux", "rtcp-mux"),
    ],
)
def test_what_every_m_line_needs(missing: str, reason: str) -> None:
    assert refusal(sdp.check_publish_offer, offer({"without": (missing,)})) == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a=ice-ufrag:ab", "ice-ufrag"),
        ("a=ice-ufrag:" + "a" * 257, "ice-ufrag"),
        ("a=ice-ufrag:ab cd", "ice-ufrag"),
        ("a=ice-pwd:short", "ice-pwd"),
        ("a=ice-pwd:" + "é" * 24, "characters"),
        ("a=mid:" + "m" * 17, "mid"),
        ("a=mid:", "mid"),
        ("a=setup:holdconn", "setup"),
    ],
)
def test_malformed_values_are_refused(line: str, reason: str) -> None:
    name = line.split(":", maxsplit=1)[0]
    one = offer({"without": (name,), "extra": (line,)})
    assert refusal(sdp.check_publish_offer, one) == reason


def test_an_answer_must_choose_its_dtls_role() -> None:
    one = text(media("audio", "0", "recvonly", setup="actpass"))
    assert refusal(sdp.check_answer, one) == "setup"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc", "forbidden:crypto"),
        ("a=simulcast:send 1;2", "forbidden:simulcast"),
        ("a=rid:1 send", "forbidden:rid"),
        ("a=ice-lite", "forbidden:ice-lite"),
        ("a=remote-candidates:1 192.0.2.1 5", "forbidden:remote-candidates"),
    ],
)
def test_what_has_no_place_here(line: str, reason: str) -> None:
    assert refusal(sdp.check_publish_offer, offer({"extra": (line,)})) == reason


@pytest.mark.parametrize(
    "bundle",
    ["a=group:BUNDLE 0 1 2", "a=group:BUNDLE 1 0 2 3", "a=group:LS 0 1 2 3", "a=group:BUNDLE", ""],
)
def test_everything_must_be_bundled(bundle: str) -> None:
    sections = [media(kind, str(n)) for n, kind in enumerate(sdp.PUBLISH_SHAPE)]
    one = text(*sections, bundle=bundle or "a=msid-semantic: WMS")
    assert refusal(sdp.check_publish_offer, one) == "bundle"


def test_one_mid_twice_is_refused() -> None:
    sections = [media(kind, "0") for kind in sdp.PUBLISH_SHAPE]
    assert refusal(sdp.check_publish_offer, text(*sections)) == "mid"


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"without": ("a=rtpmap:111",)}, "fmtp"),
        ({"without": ("a=rtpmap:111", "a=fmtp:111")}, "codec"),
        ({"extra": ("a=rtpmap:5 x/1",)}, "rtpmap"),
        ({"extra": ("a=rtpmap:111 opus/48000/2",)}, "rtpmap"),
        ({"extra": ("a=rtpmap:111",)}, "rtpmap"),
        ({"extra": ("a=fmtp:7 apt=x",)}, "fmtp"),
        ({"extra": ("a=extmap:0 urn:x",)}, "extmap"),
        ({"extra": ("a=extmap:x urn:x",)}, "extmap"),
        ({"extra": ("a=extmap:3 urn:x",) * 41}, "extmap"),
        ({"extra": ("a=ssrc:4294967296 cname:a",)}, "ssrc"),
        ({"extra": ("a=ssrc:x cname:a",)}, "ssrc"),
        ({"extra": ("a=ssrc:5 cname:a",) * 20}, "ssrc"),
        ({"extra": ("a=ssrc-group:SIM 1 2 3",)}, "ssrc-group"),
        ({"extra": ("a=rtcp:9 IN IP4 evil host",)}, "rtcp"),
        ({"line": "m=audio 9 UDP/TLS/RTP/SAVPF 111 128"}, "formats"),
        ({"line": "m=audio 9 UDP/TLS/RTP/SAVPF 111 111"}, "formats"),
        ({"line": "m=audio 9 UDP/TLS/RTP/SAVPF 111 ١١"}, "characters"),
        ({"line": "m=audio 0 UDP/TLS/RTP/SAVPF 111"}, "rejected"),
        ({"line": "m=audio 70000 UDP/TLS/RTP/SAVPF 111"}, "port"),
        ({"line": "m=audio 9/2 UDP/TLS/RTP/SAVPF 111"}, "m-line"),
        ({"line": "m=text 9 UDP/TLS/RTP/SAVPF 111"}, "m-line"),
    ],
)
def test_odd_formats_are_refused(change: dict[str, object], reason: str) -> None:
    assert refusal(sdp.check_publish_offer, offer(change)) == reason


def test_a_video_without_vp8_is_refused() -> None:
    one = offer().replace("VP8/90000", "AV1/90000")
    assert refusal(sdp.check_publish_offer, one) == "codec"


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        ("", "empty"),
        ("x" * 49_153, "size"),
        ("v=1\r\n", "version"),
        ("v=0\r\n" + "a=x\r\n" * 3_001, "lines"),
        ("v=0\r\na=" + "x" * 1_023 + "\r\n", "line"),
        ("v=0\r\nm=\r\n", "m-line"),
        ("v=0\r\na=\r\n", "attribute"),
        ("v=0\r\n\r\n", "line"),
        ("v=0\r\nk=prompt\r\n", "line"),
        ("v=0\r\nc=IN IP4 evil.example\r\n", "connection"),
        ("v=0\r\na=x\x0bm=audio 9 RTP/AVP 0\r\n", "characters"),
        ("v=0\r\na=x\u2028m=audio 9 RTP/AVP 0\r\n", "characters"),
        ("v=0\r\na=x\x85m=audio 9 RTP/AVP 0\r\n", "characters"),
        ("v=0\r\na=x\rm=audio 9 RTP/AVP 0\r\n", "characters"),
        ("v=0\r\na=x\x00\r\n", "characters"),
    ],
)
def test_text_that_others_might_read_differently_is_refused(one: str, reason: str) -> None:
    assert refusal(sdp.check_publish_offer, one) == reason
    assert refusal(sdp.check_answer, one) == reason


# ---------------------------------------------------------------- candidates


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


# ---------------------------------------------------------------- anything at all

_PIECES = st.sampled_from(
    [
        *offer().split("\r\n"),
        f"a={HOST}",
        f"a={RELAYED}",
        "m=audio 9 RTP/AVP 0",
        "a=group:BUNDLE",
        "a=fingerprint:",
        "a=rtpmap: ",
        "o=",
        "o=- 1 2 IN IP4 10.0.0.1",
        "c=IN IP4 10.0.0.1",
        "a=candidate:",
        "a=mid:\u0000",
    ]
)


def _never_worse_than_refused(one: str) -> None:
    checks = (
        lambda: sdp.check_publish_offer(one),
        lambda: sdp.check_answer(one),
        lambda: sdp.check_peer_description(one, relay_only=False),
        lambda: sdp.check_peer_description(one, relay_only=True),
        lambda: sdp.relay_candidates_only(one),
        lambda: sdp.without_candidates(one),
    )
    for check in checks:
        with contextlib.suppress(SdpRefused):
            check()
    sdp.check_candidate(one, relay_only=True)
    sdp.check_candidate(one, relay_only=False)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
@example("v=0\r\nm=audio")
def test_no_text_raises_anything_else(one: str) -> None:
    _never_worse_than_refused(one)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=60))
def test_no_shuffled_description_raises_anything_else(pieces: list[str]) -> None:
    _never_worse_than_refused("\r\n".join(["v=0", *pieces]))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(offer()) - 1), st.sampled_from(string.printable + "\x85\u2028é"))
def test_no_changed_character_raises_anything_else(place: int, character: str) -> None:
    one = offer()
    _never_worse_than_refused(one[:place] + character + one[place + 1 :])


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="candidate: 0123456789.udptyphosrlaxf-\r\n", max_size=200))
def test_no_candidate_passes_relay_only_without_being_relayed(line: str) -> None:
    cleaned = sdp.check_candidate("candidate:" + line, relay_only=True)
    assert cleaned is None or " typ relay" in cleaned
