"""Taking out of a description what must not travel on."""

from __future__ import annotations

import re

from foundation.wire.sdp.candidates import check_candidate, leads_to_a_machine
from foundation.wire.sdp.text import SdpRefused, lines_of


def relay_candidates_only(sdp: str) -> str:
    """``sdp`` with no address in it but those of relays.

    Other candidates go, and so do the related addresses of the relayed ones (a browser may name
    its own host there), and the addresses in ``c=``, ``o=``, ``a=rtcp`` and the ports of m-lines.
    Raises SdpRefused only for what is no text of lines at all.
    """
    kept = [_without_address(line) for line in lines_of(sdp)]
    return "".join(f"{line}\r\n" for line in kept if line is not None)


def without_candidates(sdp: str) -> tuple[str, list[str]]:
    """``sdp`` without its candidates, and these as ``candidate:`` lines, each once."""
    kept: list[str] = []
    candidates: list[str] = []
    for line in lines_of(sdp):
        if line.startswith("a=candidate:"):
            if line[2:] not in candidates:
                candidates.append(line[2:])
        elif line != "a=end-of-candidates":
            kept.append(line)
    return "".join(f"{line}\r\n" for line in kept), candidates


def leading_to_a_machine_only(sdp: str, *, loopback: bool) -> str:
    """``sdp`` without candidates of addresses that no other machine could be sent to at."""
    kept = [
        line
        for line in lines_of(sdp)
        if not line.startswith("a=candidate:") or leads_to_a_machine(line[2:], loopback=loopback)
    ]
    return "".join(f"{line}\r\n" for line in kept)


def passed_on(sdp: str, relay_only: bool) -> str:
    """``sdp`` as it may travel on: related addresses gone, or every address but relays'."""
    if relay_only:
        return relay_candidates_only(sdp)
    kept: list[str] = []
    for line in lines_of(sdp):
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
