"""The chat of a room: text over data channels, forwarded and forgotten.

A browser sends ``{"text": …}``; everyone else in the room gets ``{"from": id, "text": …}``, where
the worker names the sender's participation. What is malformed, too long or too much comes back as
``{"error": reason}``. Nothing is stored and nothing is logged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from uuid import UUID

from aiortc import RTCDataChannel

LABEL = "chat"

#: Bytes of a text in UTF-8: about two pages.
MAX_TEXT_BYTES = 4_096

#: JSON may escape each byte into six.
MAX_MESSAGE_CHARS = 6 * MAX_TEXT_BYTES + 64

#: Messages a second one person may send, and how many may come at once.
RATE_PER_SECOND = 10.0

#: Bytes that may wait for a browser that does not read; more are dropped for it.
MAX_WAITING_BYTES = 262_144


class ChatRefused(ValueError):
    """A message that is not passed on; the reason goes back to its sender."""


class Chat:
    """One participant's data channel."""

    def __init__(self, who: UUID, forward: Callable[[str], None]) -> None:
        self._who = who
        self._forward = forward
        self._channel: RTCDataChannel | None = None
        self._allowance = RATE_PER_SECOND
        self._counted_at = time.monotonic()

    def open(self, channel: RTCDataChannel) -> None:
        """Takes the one channel there may be; any other is closed."""
        reliable = channel.maxRetransmits is None and channel.maxPacketLifeTime is None
        if (
            self._channel is not None
            or channel.label != LABEL
            or not (channel.ordered and reliable)
        ):
            channel.close()
            return
        self._channel = channel
        channel.add_listener("message", self._heard)

    def deliver(self, message: str) -> None:
        """Sends ``message`` to this participant, unless they do not read."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        if channel.bufferedAmount <= MAX_WAITING_BYTES:
            channel.send(message)

    def _heard(self, message: object) -> None:
        try:
            self._spend()
            text = read(message)
        except ChatRefused as refusal:
            self.deliver(json.dumps({"error": str(refusal)}))
            return
        self._forward(json.dumps({"from": str(self._who), "text": text}, ensure_ascii=False))

    def _spend(self) -> None:
        """Takes one message from the allowance, which refills with time. Raises ChatRefused."""
        now = time.monotonic()
        earned = (now - self._counted_at) * RATE_PER_SECOND
        self._allowance = min(RATE_PER_SECOND, self._allowance + earned)
        self._counted_at = now
        if self._allowance < 1.0:
            raise ChatRefused("rate")
        self._allowance -= 1.0


def read(message: object) -> str:
    """The text in a browser's message. Raises ChatRefused: "malformed", "empty" or "too_long"."""
    if not isinstance(message, str) or len(message) > MAX_MESSAGE_CHARS:
        raise ChatRefused("too_long" if isinstance(message, str) else "malformed")
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        raise ChatRefused("malformed") from None
    if not isinstance(value, dict) or set(value) != {"text"} or not isinstance(value["text"], str):
        raise ChatRefused("malformed")
    text = value["text"]
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:  # half of a surrogate pair
        raise ChatRefused("malformed") from None
    if not text.strip():
        raise ChatRefused("empty")
    if size > MAX_TEXT_BYTES:
        raise ChatRefused("too_long")
    return text
