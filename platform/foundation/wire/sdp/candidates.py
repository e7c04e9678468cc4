"""Which ICE candidates are any good, and how they may be passed on (RFC 8839 section 5.1)."""

from __future__ import annotations

import ipaddress
import re

from foundation.wire.browser import MAX_CANDIDATE_CHARS
from foundation.wire.sdp.addresses import may_be_sent_to

#: Different candidates in one description. A laptop with VPN and IPv6 has about ten; each one makes
#: the receiving side send packets to an address of the sender's choice.
MAX_CANDIDATES = 24

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


def leads_to_a_machine(candidate: str, *, loopback: bool) -> bool:
    """Whether a browser that gets this candidate may send to it; it has passed the check above.

    Only the browser can resolve a ``.local`` name, and only to a machine of its own network, so
    these pass. Of addresses, those of one machine on a network do, and with ``loopback`` the
    reader's own.
    """
    address = candidate.split(" ")[4]
    return _is_mdns(address) or may_be_sent_to(address, loopback=loopback)


def _is_mdns(address: str) -> bool:
    return re.fullmatch(r"[0-9A-Za-z\-]{1,63}\.local", address) is not None


def _is_address_or_mdns(address: str) -> bool:
    if _is_mdns(address):
        return True
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
