"""Names of blobs, and the other values that callers give: checked the same for every storage."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

# A directory adds a little to a file's name, of which 255 bytes are the limit; S3 has 1,024 for
# all of it, our prefix included.
PART_CHARACTERS = 120
NAME_CHARACTERS = 500

# A part begins with a letter or digit: there is no "..", and what begins with a dot is our own.
_PART = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{PART_CHARACTERS - 1}}}"
_NAME = re.compile(rf"{_PART}(/{_PART})*")
_PREFIX = re.compile(rf"({_PART}/)*({_PART})?")


def checked_name(name: str) -> str:
    """``name``, or ``ValueError``."""
    if len(name) > NAME_CHARACTERS or not _NAME.fullmatch(name):
        raise ValueError("not a name of a blob: parts of A-Z a-z 0-9 . _ - with / between them")
    return name


def checked_prefix(prefix: str) -> str:
    """The beginning of a name; it may end in the middle of a part."""
    if len(prefix) > NAME_CHARACTERS or not _PREFIX.fullmatch(prefix):
        raise ValueError("not the beginning of a name of a blob")
    return prefix


def checked_range(start: int, end: int) -> None:
    if not 0 <= start <= end:
        raise ValueError(f"not a range: {start} to {end}")


def checked_moment(until: datetime) -> datetime:
    """``until`` in UTC and whole seconds, rounded up: no storage keeps fractions."""
    if until.tzinfo is None:
        raise ValueError("a retention needs a time zone")
    until = until.astimezone(UTC)
    if until.microsecond:
        until = until.replace(microsecond=0) + timedelta(seconds=1)
    return until


def checked_future(until: datetime) -> datetime:
    """As ``checked_moment``; a retention that begins in the past would be none."""
    until = checked_moment(until)
    if until <= datetime.now(UTC):
        raise ValueError("a retention ends in the future")
    return until
