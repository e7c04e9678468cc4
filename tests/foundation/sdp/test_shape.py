"""What every m-line must have, and what has no place in one."""

from __future__ import annotations

import pytest

from foundation.wire import sdp
from tests.foundation.sdp.writing import SHA_1, SHA_256, media, offer, refusal, text


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
