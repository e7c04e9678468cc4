"""Which bytes of a film a request asks for: RFC 9110, section 14. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: One range of bytes. Numbers beyond these digits are no film's; Python would read them all.
_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.ASCII | re.IGNORECASE)


class Unsatisfiable(ValueError):
    """None of what is asked for exists: 416."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` up to ``end`` (exclusive), of ``total``."""

    start: int
    end: int
    total: int

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.total}"


def wanted(header: str | None, total: int) -> Span | None:
    """The one range that is asked for; None where the whole is to be given.

    That is: without a range, with another unit, with one that does not parse, and with more than
    one, which a server may ignore (14.2). Raises ``Unsatisfiable``.
    """
    found = _ONE_RANGE.fullmatch(header or "")
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, total - int(last)), total  # the last so many
    else:
        if last and int(last) < int(first):
            return None  # no valid range (14.1.1)
        start, end = int(first), min(int(last) + 1 if last else total, total)
    if start >= end:
        raise Unsatisfiable
    return Span(start, end, total)
