"""Descriptions and candidates as browsers write them, and how a check refused one."""

from __future__ import annotations

import pytest

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
