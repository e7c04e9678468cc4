"""Session descriptions and ICE candidates of strangers, checked before anything acts on them.

Pure text in, pure text out: nothing here parses SDP for use, it only decides whether a description
has the one shape Consilium speaks and removes what must not travel on. The server checks with it
before it relays, the media worker again before aiortc sees a byte: aiortc accepts 400 m-lines and
sends a connectivity check to every candidate it is given.

Every function raises ``SdpRefused`` with a stable reason, and nothing else, whatever the text is.
What is returned is what may be passed on.

Sources: RFC 8866 (SDP), RFC 8839 (ICE in SDP), RFC 8122 (fingerprints), RFC 9143 (BUNDLE),
RFC 8829 (JSEP), RFC 8827 section 6.5 (DTLS-SRTP only).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from foundation.wire.browser import MAX_CANDIDATE_CHARS, MAX_SDP_CHARS

#: Different candidates in one description. A laptop with VPN and IPv6 has about ten; each one makes
#: the receiving side send packets to an address of the sender's choice.
MAX_CANDIDATES = 24

#: A description of fifteen participants with three sources each has about 1,500 lines.
MAX_LINES = 3_000
MAX_LINE_CHARS = 1_024

#: m-lines of a subscribe answer: fifteen others, three sources each, with room to spare.
MAX_ANSWER_MEDIA = 64

#: Formats, header extensions and SSRC lines of one m-line, each far above what browsers offer.
MAX_FORMATS = 96
MAX_EXTENSIONS = 40
MAX_SSRC_LINES = 16

#: microphone, camera, screen, chat: the fixed order of m-lines that a browser publishes.
PUBLISH_SHAPE = ("audio", "video", "video", "application")

RTP_PROFILE = "UDP/TLS/RTP/SAVPF"
DATA_PROFILE = "UDP/DTLS/SCTP"

_M_LINE = re.compile(r"m=(audio|video|application) ([0-9]{1,5}) (\S{1,32}) (\S[ \S]*)")
_ATTRIBUTE = re.compile(r"a=([A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,64})(?::(.*))?")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_MID = re.compile(r"[A-Za-z0-9_\-]{1,16}")
_SHA_256 = re.compile(r"(?i:sha-256) [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}")
_RTPMAP = re.compile(r"([0-9]{1,3}) ([A-Za-z0-9\-.]{1,32})/([0-9]{1,6})(?:/([0-9]))?")
_FMTP = re.compile(r"([0-9]{1,3}) (\S[ \S]*)")
_EXTMAP = re.compile(r"([0-9]{1,3})(?:/(?:sendrecv|sendonly|recvonly|inactive))? (\S{1,256})")
_SSRC = re.compile(r"([0-9]{1,10}) [a-z]{1,16}(?::[ -~]{0,256})?")
_SSRC_GROUP = re.compile(r"FID [0-9]{1,10} [0-9]{1,10}")
_PRINTABLE = re.compile(r"[\t -~]*")
_NUMBER = re.compile(r"[0-9]+")
_CANDIDATE = re.compile(
    r"candidate:(?P<foundation>[A-Za-z0-9+/]{1,32}) (?P<component>[0-9]{1,3})"
    r" (?P<transport>[A-Za-z]{3}) (?P<priority>[0-9]{1,10}) (?P<address>[0-9A-Za-z.:\-]{1,253})"
    r" (?P<port>[0-9]{1,5}) typ (?P<kind>host|srflx|prflx|relay)"
    r"(?: raddr (?P<raddr>[0-9A-Za-z.:\-]{1,253}) rport (?P<rport>[0-9]{1,5}))?"
    r"(?P<extensions>(?: [A-Za-z0-9\-]{1,32} [!-~]{1,256})*)"
)

#: Candidate extensions the other side's ICE needs. Others are dropped: ``network-id`` and
#: ``network-cost`` tell what kind of network somebody is on.
_KEPT_EXTENSIONS = frozenset({"tcptype", "generation", "ufrag"})

_DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})

#: SDES keys travel in clear (RFC 8827 section 6.5 forbids them); simulcast is not spoken here.
_FORBIDDEN_ATTRIBUTES = frozenset({"crypto", "simulcast", "rid", "ice-lite", "remote-candidates"})


class SdpRefused(ValueError):
    """A description or candidate is not of the shape Consilium speaks. ``reason`` is stable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class _Section:
    """The session part (``kind`` empty) or one m-line with its attributes."""

    kind: str = ""
    port: int = 0
    profile: str = ""
    formats: tuple[str, ...] = ()
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for attribute, value in self.attributes if attribute == name]

    def has(self, name: str) -> bool:
        return any(attribute == name for attribute, _ in self.attributes)

    def one(self, name: str) -> str | None:
        """The only value of ``name``; SdpRefused if it is given twice."""
        values = self.all(name)
        if len(values) > 1:
            raise SdpRefused(f"repeated:{name}")
        return values[0] if values else None


def check_publish_offer(sdp: str, relay_only: bool = False) -> str:
    """``sdp``, if it is a browser's offer to publish: the fixed shape, sending, Opus and VP8.

    With ``relay_only`` only relay candidates remain in what is returned. Raises SdpRefused.
    """
    session, media = _parse(sdp)
    if tuple(section.kind for section in media) != PUBLISH_SHAPE:
        raise SdpRefused("shape")
    _check_all(session, media, setups=("actpass", "active", "passive"))
    for section in media[:3]:
        if _direction(section) != "sendonly":
            raise SdpRefused("direction")
        _check_codec(section)
    return _passed_on(sdp, relay_only)


def check_answer(sdp: str, relay_only: bool = False) -> str:
    """``sdp``, if it is a browser's answer to a worker's offer of ``subscribe``.

    Whether it answers *that* offer is for the one who made it to compare. Raises SdpRefused.
    """
    session, media = _parse(sdp)
    if not media or len(media) > MAX_ANSWER_MEDIA:
        raise SdpRefused("shape")
    if any(section.kind == "application" for section in media):
        raise SdpRefused("shape")
    _check_all(session, media, setups=("active", "passive"))
    for section in media:
        if _direction(section) not in {"recvonly", "inactive"}:
            raise SdpRefused("direction")
        _check_codec(section)
    return _passed_on(sdp, relay_only)


def check_peer_description(sdp: str, relay_only: bool) -> str:
    """``sdp``, if it is an offer or answer of a private call, fit to be passed to the other one.

    With ``relay_only`` it comes back as by ``relay_candidates_only``; otherwise only the related
    addresses of its candidates are taken out. Raises SdpRefused.
    """
    session, media = _parse(sdp)
    if tuple(section.kind for section in media) != PUBLISH_SHAPE:
        raise SdpRefused("shape")
    _check_all(session, media, setups=("actpass", "active", "passive"))
    for section in media[:3]:
        _direction(section)
    return _passed_on(sdp, relay_only)


def relay_candidates_only(sdp: str) -> str:
    """``sdp`` with no address in it but those of relays.

    Other candidates go, and so do the related addresses of the relayed ones (a browser may name
    its own host there), and the addresses in ``c=``, ``o=``, ``a=rtcp`` and the ports of m-lines.
    Raises SdpRefused only for what is no text of lines at all.
    """
    kept = [_without_address(line) for line in _lines(sdp)]
    return "".join(f"{line}\r\n" for line in kept if line is not None)


def without_candidates(sdp: str) -> tuple[str, list[str]]:
    """``sdp`` without its candidates, and these as ``candidate:`` lines, each once."""
    kept: list[str] = []
    candidates: list[str] = []
    for line in _lines(sdp):
        if line.startswith("a=candidate:"):
            if line[2:] not in candidates:
                candidates.append(line[2:])
        elif line != "a=end-of-candidates":
            kept.append(line)
    return "".join(f"{line}\r\n" for line in kept), candidates


def check_candidate(line: str, relay_only: bool) -> str | None:
    """The candidate as it may be passed on, its related address removed; None if it may not.

    None for the end-of-candidates mark, for anything malformed, and with ``relay_only`` for all
    that is not relayed. Never raises. ``line`` may start with ``a=``.
    """
    if not isinstance(line, str) or len(line) > MAX_CANDIDATE_CHARS:
        return None
    parsed = _CANDIDATE.fullmatch(line.strip(" \r\n").removeprefix("a="))
    if parsed is None:
        return None
    part = parsed.groupdict()
    if part["transport"].lower() not in {"udp", "tcp"}:
        return None
    if not (1 <= int(part["component"]) <= 256 and 1 <= int(part["priority"]) < 2**31):
        return None
    if not (0 <= int(part["port"]) <= 65_535 and 0 <= int(part["rport"] or 0) <= 65_535):
        return None
    if not _is_address_or_mdns(part["address"]):
        return None
    if relay_only and part["kind"] != "relay":
        return None
    cleaned = (
        f"candidate:{part['foundation']} {part['component']} {part['transport']}"
        f" {part['priority']} {part['address']} {part['port']} typ {part['kind']}"
    )
    if part["raddr"] is not None:
        hidden = "::" if ":" in part["address"] else "0.0.0.0"  # noqa: S104 - nothing is bound
        cleaned += f" raddr {hidden} rport 0"
    words = part["extensions"].split()
    for name, value in zip(words[::2], words[1::2], strict=True):
        if name in _KEPT_EXTENSIONS:
            cleaned += f" {name} {value}"
    return cleaned


# ---------------------------------------------------------------- lines


def _lines(sdp: str) -> list[str]:
    """Lines of ``sdp`` as RFC 8866 ends them; SdpRefused if they are too many, long or odd."""
    if not isinstance(sdp, str) or not sdp:
        raise SdpRefused("empty")
    if len(sdp) > MAX_SDP_CHARS:
        raise SdpRefused("size")
    lines = sdp.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) > MAX_LINES:
        raise SdpRefused("lines")
    for line in lines:
        # str.splitlines, which aiortc uses, also breaks at \x0b, \x1c, \x85, \u2028 and others:
        # a line that is one here and two there could hide an m-line from these checks.
        if len(line) > MAX_LINE_CHARS or len(line) < 2 or line[1] != "=":
            raise SdpRefused("line")
        if not _PRINTABLE.fullmatch(line):
            raise SdpRefused("characters")
    return lines


def _parse(sdp: str) -> tuple[_Section, list[_Section]]:
    """The session part and the m-lines of ``sdp``."""
    lines = _lines(sdp)
    if lines[0] != "v=0":
        raise SdpRefused("version")
    session = _Section()
    media: list[_Section] = []
    for line in lines[1:]:
        if line.startswith("m="):
            found = _M_LINE.fullmatch(line)
            if found is None:
                raise SdpRefused("m-line")
            if len(media) >= MAX_ANSWER_MEDIA:
                raise SdpRefused("shape")
            kind, port, profile, formats = found.groups()
            media.append(_Section(kind, int(port), profile, tuple(formats.split())))
        elif line.startswith("a="):
            attribute = _ATTRIBUTE.fullmatch(line)
            if attribute is None:
                raise SdpRefused("attribute")
            section = media[-1] if media else session
            section.attributes.append((attribute.group(1), attribute.group(2) or ""))
        elif line[0] == "c" and not re.fullmatch(r"c=IN IP[46] [0-9A-Fa-f.:]{1,45}", line):
            raise SdpRefused("connection")
        elif line[0] not in "vostcb":
            raise SdpRefused("line")
    return session, media


# ---------------------------------------------------------------- shape


def _check_all(session: _Section, media: list[_Section], setups: tuple[str, ...]) -> None:
    """What every description must have, whoever makes it and whatever it is for."""
    _check_candidates(session, media)
    mids: list[str] = []
    for section in media:
        for name in _FORBIDDEN_ATTRIBUTES:
            if section.has(name) or session.has(name):
                raise SdpRefused(f"forbidden:{name}")
        _check_media_line(section)
        _check_security(session, section, setups)
        mid = section.one("mid")
        if mid is None or not _MID.fullmatch(mid) or mid in mids:
            raise SdpRefused("mid")
        mids.append(mid)
    bundles = [value.split() for value in session.all("group") if value.split()[:1] == ["BUNDLE"]]
    if len(session.all("group")) != 1 or len(bundles) != 1 or bundles[0][1:] != mids:
        raise SdpRefused("bundle")


def _check_candidates(session: _Section, media: list[_Section]) -> None:
    # Some ends repeat the candidates of a bundle in each of its m-lines.
    lines = {value for section in media for value in section.all("candidate")}
    if session.has("candidate"):
        raise SdpRefused("candidate")
    if len(lines) > MAX_CANDIDATES:
        raise SdpRefused("candidates")
    for value in lines:
        if check_candidate(f"candidate:{value}", relay_only=False) is None:
            raise SdpRefused("candidate")


def _check_media_line(section: _Section) -> None:
    """Port, profile and formats of one m-line."""
    if section.port > 65_535:
        raise SdpRefused("port")
    if section.port == 0 and not section.has("bundle-only"):
        raise SdpRefused("rejected")
    if section.kind == "application":
        if section.profile != DATA_PROFILE or section.formats != ("webrtc-datachannel",):
            raise SdpRefused("profile")
        _check_number(section.one("sctp-port"), 1, 65_535, "sctp")
        if section.has("max-message-size"):
            _check_number(section.one("max-message-size"), 0, 2**32, "sctp")
        return
    if section.profile != RTP_PROFILE:
        raise SdpRefused("profile")
    if not section.has("rtcp-mux"):
        raise SdpRefused("rtcp-mux")
    if len(section.formats) > MAX_FORMATS or len(set(section.formats)) != len(section.formats):
        raise SdpRefused("formats")
    for payload_type in section.formats:
        _check_number(payload_type, 0, 127, "formats")
    for value in section.all("rtcp"):
        if not re.fullmatch(r"[0-9]{1,5}(?: IN IP[46] [0-9A-Fa-f.:]{1,45})?", value):
            raise SdpRefused("rtcp")
    _check_formats(section)
    _check_streams(section)


def _check_formats(section: _Section) -> None:
    seen: set[str] = set()
    for value in section.all("rtpmap"):
        found = _RTPMAP.fullmatch(value)
        if found is None or found.group(1) in seen or found.group(1) not in section.formats:
            raise SdpRefused("rtpmap")
        seen.add(found.group(1))
    for value in section.all("fmtp"):
        found = _FMTP.fullmatch(value)
        if found is None or found.group(1) not in seen:
            raise SdpRefused("fmtp")
    if len(section.all("fmtp")) > MAX_FORMATS or len(section.all("rtcp-fb")) > 8 * MAX_FORMATS:
        raise SdpRefused("formats")


def _check_streams(section: _Section) -> None:
    extensions = section.all("extmap")
    if len(extensions) > MAX_EXTENSIONS:
        raise SdpRefused("extmap")
    for value in extensions:
        found = _EXTMAP.fullmatch(value)
        if found is None or not 1 <= int(found.group(1)) <= 255:
            raise SdpRefused("extmap")
    if len(section.all("ssrc")) > MAX_SSRC_LINES:
        raise SdpRefused("ssrc")
    for value in section.all("ssrc"):
        found = _SSRC.fullmatch(value)
        if found is None or not 0 < int(found.group(1)) < 2**32:
            raise SdpRefused("ssrc")
    for value in section.all("ssrc-group"):
        if not _SSRC_GROUP.fullmatch(value):
            raise SdpRefused("ssrc-group")


def _check_security(session: _Section, section: _Section, setups: tuple[str, ...]) -> None:
    """ICE credentials, the DTLS role and a SHA-256 fingerprint, here or in the session part."""
    ufrag = section.one("ice-ufrag") or session.one("ice-ufrag")
    password = section.one("ice-pwd") or session.one("ice-pwd")
    if ufrag is None or not _UFRAG.fullmatch(ufrag):
        raise SdpRefused("ice-ufrag")
    if password is None or not _PASSWORD.fullmatch(password):
        raise SdpRefused("ice-pwd")
    setup = section.one("setup") or session.one("setup")
    if setup not in setups:
        raise SdpRefused("setup")
    fingerprints = section.all("fingerprint") + session.all("fingerprint")
    if len(fingerprints) > 8:
        raise SdpRefused("fingerprint")
    # The only one that counts must be strong: a second one by SHA-1 would be checked as well by
    # some ends and ignored by others, so all of them must be of SHA-256 or better.
    strong = [value for value in fingerprints if _SHA_256.fullmatch(value)]
    weak = [value for value in fingerprints if not re.match(r"(?i:sha-(256|384|512)) ", value)]
    if not strong or weak:
        raise SdpRefused("fingerprint")


def _direction(section: _Section) -> str:
    """The direction of an m-line; ``sendrecv`` where none is given (RFC 8866 section 6.7)."""
    found = [name for name, _ in section.attributes if name in _DIRECTIONS]
    if len(found) > 1:
        raise SdpRefused("direction")
    return found[0] if found else "sendrecv"


def _check_codec(section: _Section) -> None:
    """Opus among the audio formats, VP8 among the video ones: the worker speaks no others."""
    wanted = ("OPUS", "48000") if section.kind == "audio" else ("VP8", "90000")
    for value in section.all("rtpmap"):
        found = _RTPMAP.fullmatch(value)
        if found is not None and (found.group(2).upper(), found.group(3)) == wanted:
            return
    raise SdpRefused("codec")


def _check_number(text: str | None, least: int, most: int, reason: str) -> None:
    if text is None or not _NUMBER.fullmatch(text) or len(text) > 10:
        raise SdpRefused(reason)
    if not least <= int(text) <= most:
        raise SdpRefused(reason)


# ---------------------------------------------------------------- addresses


def _passed_on(sdp: str, relay_only: bool) -> str:
    if relay_only:
        return relay_candidates_only(sdp)
    kept: list[str] = []
    for line in _lines(sdp):
        if line.startswith("a=candidate:"):
            cleaned = check_candidate(line, relay_only=False)
            if cleaned is not None:
                kept.append(f"a={cleaned}")
        else:
            kept.append(line)
    return "".join(f"{line}\r\n" for line in kept)


def _without_address(line: str) -> str | None:
    """``line`` without an address of the one who wrote it; None to leave the line out."""
    if line.startswith("a=candidate:"):
        cleaned = check_candidate(line, relay_only=True)
        return f"a={cleaned}" if cleaned is not None else None
    if line.startswith(("a=end-of-candidates", "a=remote-candidates")):
        return None
    if line.startswith("c="):
        return "c=IN IP4 0.0.0.0"
    if line.startswith("o="):
        words = line[2:].split()
        if len(words) != 6:
            raise SdpRefused("origin")
        return f"o=- {words[1]} {words[2]} IN IP4 127.0.0.1"
    if line.startswith("a=rtcp:"):
        return "a=rtcp:9 IN IP4 0.0.0.0"
    if line.startswith("m="):
        return re.sub(r"^(m=\S+) [1-9][0-9]*( |$)", r"\1 9\2", line)
    return line


def _is_address_or_mdns(address: str) -> bool:
    if re.fullmatch(r"[0-9A-Za-z\-]{1,63}\.local", address):
        return True
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
