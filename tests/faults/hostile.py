"""What no page would send: messages, descriptions and candidates, by what is wrong with them."""

from __future__ import annotations

import json

from tests.flows.house import WORDS
from tests.foundation.sdp.writing import HOST, MDNS, REFLEXIVE, SHA_1, SHA_256, media, offer, text

DEEP = '{"type":' + "[" * 30_000 + "]" * 30_000 + "}"

#: Text or bytes, and the problem that it is.
MALFORMED = {
    "nothing": ("", "message_malformed"),
    "no JSON": (f"{{{WORDS}", "message_malformed"),
    "no object": (json.dumps([WORDS]), "message_malformed"),
    "no type": (json.dumps({"text": WORDS}), "message_malformed"),
    "type is no text": ('{"type": 5}', "message_malformed"),
    "deep": (DEEP, "message_malformed"),
    "deep after a quote": ('{"type":"' + "[" * 65_000, "message_malformed"),
    "quotes": ('"' * 65_000, "message_malformed"),
    "NaN": ('{"type":"ping","n":NaN}', "message_malformed"),
    "huge number": ('{"type":"ping","n":1' + "0" * 5_000 + "}", "message_malformed"),
    "text as number": ('{"type":"ping","n":"1"}', "message_malformed"),
    "twice": ('{"type":"ping","n":1,"n":2}', "message_malformed"),
    "unknown field": (json.dumps({"type": "ping", "n": 1, "chat": WORDS}), "message_malformed"),
    "binary": (b'{"type":"ping","n":1}', "message_malformed"),
    "unknown message": (json.dumps({"type": "chat", "text": WORDS}), "message_unknown"),
    "of the server": ('{"type":"welcome"}', "message_unknown"),
    "of a worker": ('{"type":"renew","participants":0,"cpu_percent":0}', "message_unknown"),
}


def many_media(count: int) -> str:
    return "\r\n".join(
        ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", f"a=fingerprint:{SHA_256}"]
        + ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 0.0.0.0"] * count
        + [""]
    )


def many_candidates(count: int) -> list[str]:
    return [
        f"candidate:{n} 1 udp 2122260223 192.168.{n // 250}.{n % 250 + 1} 54321 typ host"
        for n in range(count)
    ]


#: Descriptions that go nowhere.
BAD_SDP = {
    "400 m-lines": many_media(400),
    "40 m-lines": text(*[media("audio", str(n), "sendrecv") for n in range(40)]),
    "500 candidates": offer({"candidates": many_candidates(500)}, "sendrecv"),
    "25 candidates": offer({"candidates": many_candidates(25)}, "sendrecv"),
    "RTP in the clear": offer({"line": "m=audio 9 RTP/AVP 111"}, "sendrecv"),
    "SDES": offer({"line": "m=audio 9 RTP/SAVPF 111"}, "sendrecv"),
    "a key in the clear": offer(
        {"extra": ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40,)}, "sendrecv"
    ),
    "no fingerprint": offer({"without": ("a=fingerprint",)}, "sendrecv"),
    "a weak fingerprint": offer(
        {"without": ("a=fingerprint",), "extra": (f"a=fingerprint:{SHA_1}",)}, "sendrecv"
    ),
    "no text of lines": WORDS,
    "a line within a line": offer(None, "sendrecv").replace("s=-", "s=-\x0bm=audio 9 RTP/AVP 0"),
}


def pointing_to(address: str) -> str:
    return f"candidate:1 1 udp 2122260223 {address} 80 typ host"


#: Candidates that a relay-only call does not pass on.
NOWHERE_TO_SEND = [
    pointing_to("127.0.0.1"),
    pointing_to("::1"),
    pointing_to("169.254.169.254"),
    pointing_to("fd00:ec2::254"),
    pointing_to("10.0.0.1"),
    pointing_to("192.168.1.1"),
    HOST,
    MDNS,
    REFLEXIVE,
]

#: What is no candidate anywhere.
NO_CANDIDATES = [
    pointing_to("metadata.google.internal"),
    pointing_to("localhost"),
    pointing_to("0x7f.1"),
    pointing_to("2130706433"),
    pointing_to("127.0.0.1") + "\r\nm=audio 9 RTP/AVP 0",
    pointing_to("192.168.1.1").replace(" 80 ", " 65536 "),
    WORDS,
]
