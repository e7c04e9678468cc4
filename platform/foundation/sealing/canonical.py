"""JSON that has one form: RFC 8785, with the limits of FORMAT.md section 4 on what may be in it."""

from __future__ import annotations

import json
from typing import Any

import rfc8785

MOST_BYTES = 4_194_304
MOST_LEVELS = 16
#: Beyond this, numbers of JSON are not the same to everybody (RFC 8785 appendix D).
NUMBER_MOST = 2**53 - 1


def canonical(value: Any) -> bytes:
    """The one form of ``value``. ``ValueError``: it has none."""
    return rfc8785.dumps(value)


def parsed(data: bytes) -> Any:
    """What ``data`` says, if it is JSON that is allowed; otherwise ``ValueError``."""
    if len(data) > MOST_BYTES:
        raise ValueError("too long")
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise ValueError("too deep") from None
    _sound(value, 0)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice")
    return members


def _integer(text: str) -> int:
    # Their number of digits is compared first: converting a million of them takes very long.
    if not text.isdigit() or len(text) > 16 or int(text) > NUMBER_MOST:
        raise ValueError("a number that is not allowed")
    return int(text)


def _no_number(_: str) -> Any:
    raise ValueError("a number that is not allowed")


def _sound(value: Any, level: int) -> None:
    """Refuses what is too deep, and lone surrogates, of names too."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict | list):
        if level == MOST_LEVELS:
            raise ValueError("too deep")
        if isinstance(value, dict):
            for name in value:
                name.encode()
        for inner in value.values() if isinstance(value, dict) else value:
            _sound(inner, level + 1)
