"""Lines and sections of a description, as every reader would break it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from foundation.wire.browser import MAX_SDP_CHARS

#: A description of fifteen participants with three sources each has about 1,500 lines.
MAX_LINES = 3_000
MAX_LINE_CHARS = 1_024

#: m-lines of a subscribe answer: fifteen others, three sources each, with room to spare.
MAX_ANSWER_MEDIA = 64

_M_LINE = re.compile(r"m=(audio|video|application) ([0-9]{1,5}) (\S{1,32}) (\S[ \S]*)")
_ATTRIBUTE = re.compile(r"a=([A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,64})(?::(.*))?")
_PRINTABLE = re.compile(r"[\t -~]*")


class SdpRefused(ValueError):
    """A description or candidate is not of the shape Consilium speaks. ``reason`` is stable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Section:
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


def lines_of(sdp: str) -> list[str]:
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


def sections_of(sdp: str) -> tuple[Section, list[Section]]:
    """The session part and the m-lines of ``sdp``."""
    lines = lines_of(sdp)
    if lines[0] != "v=0":
        raise SdpRefused("version")
    session = Section()
    media: list[Section] = []
    for line in lines[1:]:
        if line.startswith("m="):
            found = _M_LINE.fullmatch(line)
            if found is None:
                raise SdpRefused("m-line")
            if len(media) >= MAX_ANSWER_MEDIA:
                raise SdpRefused("shape")
            kind, port, profile, formats = found.groups()
            media.append(Section(kind, int(port), profile, tuple(formats.split())))
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
