"""Signaling that arrived before its lease.

A lease goes through the platform's outbox, descriptions and candidates do not, so a quick browser's
offer can overtake the lease it needs. It waits here for a moment, up to a number.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from uuid import UUID

from foundation.wire.worker import ServerCandidate, ServerDescribe

#: The outbox delivers within milliseconds, and within its claim's ten seconds when a process died.
KEPT_SECONDS = 15.0

#: Participants whose lease is awaited, and messages of each: an offer and its candidates.
MAX_AWAITED = 64
MAX_MESSAGES = 40

Signal = ServerDescribe | ServerCandidate
Key = tuple[UUID, UUID, int]


class EarlySignals:
    """By room, participant and epoch, oldest first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[float, list[Signal]]] = OrderedDict()

    def keep(self, message: Signal) -> None:
        """Keeps ``message`` until its lease comes; the oldest of too many are forgotten."""
        now = time.monotonic()
        self._forget_before(now - KEPT_SECONDS)
        key = (message.room, message.participant, message.epoch)
        _, messages = self._kept.setdefault(key, (now, []))
        if len(messages) < MAX_MESSAGES:
            messages.append(message)
        while len(self._kept) > MAX_AWAITED:
            self._kept.popitem(last=False)

    def take(self, room: UUID, participant: UUID, epoch: int) -> list[Signal]:
        """What waited for this lease, in the order of its arrival; it waits no longer."""
        self._forget_before(time.monotonic() - KEPT_SECONDS)
        _, messages = self._kept.pop((room, participant, epoch), (0.0, []))
        return messages

    def _forget_before(self, moment: float) -> None:
        while self._kept:
            key, (since, _) = next(iter(self._kept.items()))
            if since > moment:
                return
            del self._kept[key]
