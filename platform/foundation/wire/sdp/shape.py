"""What every section of a description must have, whoever makes it and whatever it is for."""

from __future__ import annotations

import re

from foundation.wire.sdp.candidates import MAX_CANDIDATES, check_candidate
from foundation.wire.sdp.text import SdpRefused, Section

#: Formats, header extensions and SSRC lines of one m-line, each far above what browsers offer.
MAX_FORMATS = 96
MAX_EXTENSIONS = 40
MAX_SSRC_LINES = 16

RTP_PROFILE = "UDP/TLS/RTP/SAVPF"
DATA_PROFILE = "UDP/DTLS/SCTP"

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_MID = re.compile(r"[A-Za-z0-9_\-]{1,16}")
_SHA_256 = re.compile(r"(?i:sha-256) [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}")
_RTPMAP = re.compile(r"([0-9]{1,3}) ([A-Za-z0-9\-.]{1,32})/([0-9]{1,6})(?:/([0-9]))?")
_FMTP = re.compile(r"([0-9]{1,3}) (\S[ \S]*)")
_EXTMAP = re.compile(r"([0-9]{1,3})(?:/(?:sendrecv|sendonly|recvonly|inactive))? (\S{1,256})")
_SSRC = re.compile(r"([0-9]{1,10}) [a-z]{1,16}(?::[ -~]{0,256})?")
_SSRC_GROUP = re.compile(r"FID [0-9]{1,10} [0-9]{1,10}")
_NUMBER = re.compile(r"[0-9]+")

_DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})

#: SDES keys travel in clear (RFC 8827 section 6.5 forbids them); simulcast is not spoken here.
_FORBIDDEN_ATTRIBUTES = frozenset({"crypto", "simulcast", "rid", "ice-lite", "remote-candidates"})


def check_sections(session: Section, media: list[Section], setups: tuple[str, ...]) -> None:
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


def direction_of(section: Section) -> str:
    """The direction of an m-line; ``sendrecv`` where none is given (RFC 8866 section 6.7)."""
    found = [name for name, _ in section.attributes if name in _DIRECTIONS]
    if len(found) > 1:
        raise SdpRefused("direction")
    return found[0] if found else "sendrecv"


def check_codec(section: Section) -> None:
    """Opus among the audio formats, VP8 among the video ones: the worker speaks no others."""
    wanted = ("OPUS", "48000") if section.kind == "audio" else ("VP8", "90000")
    for value in section.all("rtpmap"):
        found = _RTPMAP.fullmatch(value)
        if found is not None and (found.group(2).upper(), found.group(3)) == wanted:
            return
    raise SdpRefused("codec")


def _check_candidates(session: Section, media: list[Section]) -> None:
    # Some ends repeat the candidates of a bundle in each of its m-lines.
    lines = {value for section in media for value in section.all("candidate")}
    if session.has("candidate"):
        raise SdpRefused("candidate")
    if len(lines) > MAX_CANDIDATES:
        raise SdpRefused("candidates")
    for value in lines:
        if check_candidate(f"candidate:{value}", relay_only=False) is None:
            raise SdpRefused("candidate")


def _check_media_line(section: Section) -> None:
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


def _check_formats(section: Section) -> None:
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


def _check_streams(section: Section) -> None:
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


def _check_security(session: Section, section: Section, setups: tuple[str, ...]) -> None:
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


def _check_number(text: str | None, least: int, most: int, reason: str) -> None:
    if text is None or not _NUMBER.fullmatch(text) or len(text) > 10:
        raise SdpRefused(reason)
    if not least <= int(text) <= most:
        raise SdpRefused(reason)
