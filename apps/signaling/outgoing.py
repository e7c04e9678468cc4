"""What a handler wants sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from foundation.wire.message import Message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """``replies`` go to the socket that asked; ``relays`` are (group, channel layer message)."""

    replies: tuple[Message, ...] = ()
    relays: tuple[tuple[str, dict[str, Any]], ...] = field(default=())


NOTHING = Outgoing()
