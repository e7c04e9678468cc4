"""What every message shares, and how one is read from the wire.

``read`` checks in this order: size, nesting, JSON, kind, shape. Nothing of a refused message is
kept or repeated in the error, because it may hold anything. JSON is RFC 8259's: no ``NaN``, no
name twice in one object (RFC 7493 section 2.3), and ``"5"`` is no number.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

#: Largest message either side may send, in bytes. An SDP of a call of four people with three
#: sources each is below 24 kB; raising it raises what a stranger can make the server hold.
MAX_MESSAGE_BYTES = 65_536

#: A string, or what is left of the text when its closing quote is missing: each character is
#: looked at once. (Possessive, and without a second start inside the string: a stranger's 64 kB
#: of quotes would otherwise cost the event loop half a minute.)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")

#: Deepest nesting of a legitimate message is 4; json's own recursion would go to 1,000.
MAX_DEPTH = 8


class Message(BaseModel):
    """A typed, immutable message that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


M = TypeVar("M", bound=Message)


class MessageTooLarge(ValueError):
    """More bytes than ``MAX_MESSAGE_BYTES``."""


class MessageMalformed(ValueError):
    """Not JSON, too deep, or not of the shape its type asks for."""


class MessageUnknown(ValueError):
    """A ``type`` this version does not have."""


def read(adapter: TypeAdapter[M], known: frozenset[str], text: str) -> M:
    """The message that ``text`` holds.

    Raises ``MessageTooLarge``, ``MessageMalformed`` or ``MessageUnknown``.
    """
    if len(text) > MAX_MESSAGE_BYTES or len(text.encode("utf-8", "replace")) > MAX_MESSAGE_BYTES:
        raise MessageTooLarge
    if _deepest_nesting(text) > MAX_DEPTH:
        raise MessageMalformed("nesting")
    try:
        value = json.loads(text, object_pairs_hook=_named_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MessageMalformed("json") from error
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise MessageMalformed("type")
    if value["type"] not in known:
        raise MessageUnknown
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        fields = ",".join(".".join(str(part) for part in item["loc"]) for item in error.errors())
        raise MessageMalformed(fields[:200]) from None


def write(message: Message) -> str:
    """``message`` as compact JSON text."""
    return message.model_dump_json()


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("a name twice in one object")
    return named


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _deepest_nesting(text: str) -> int:
    """Depth of brackets outside strings, counted without recursion and without parsing."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        deepest = max(deepest, depth)
    return deepest


def kinds(*message_types: type[Any]) -> frozenset[str]:
    """The ``type`` values of ``message_types``."""
    return frozenset(kind.model_fields["type"].default for kind in message_types)
