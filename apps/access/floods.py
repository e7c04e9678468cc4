"""Refusals that anybody can cause without end: written one by one up to a number, then counted.

A stranger needs no account to be refused a thousand times a second, and each row of the trail is
kept for ever. So of each stranger, what was asked and why it was refused, the first ``EACH`` rows
of a minute are written as they happen; the others become one row with their number when the
minute is over. People who are signed in or seated are not counted but written, except when what
refuses them is a throttle. See decision 18.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from uuid import UUID

from audit import trail
from foundation.actor import Actor
from outbox.database import in_database

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60.0

#: Rows for one actor, tag and reason in a window. Whoever mistypes stays below it.
EACH = 20

#: Rows of all of them together: ten a second, whoever and however many they are.
ALL = 600

#: Strangers told apart in a window; the rest share one number for each tag and reason.
APART = 200

#: How often the loop looks whether a window is over.
LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is counted together."""

    actor: Actor
    tag: str
    reason: str


class Floods:
    """One per process, in its memory: what was only counted is lost with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._task: asyncio.Task[None] | None = None
        self.forget()

    def forget(self) -> None:
        """Begin anew, without writing what was counted."""
        self._began = time.monotonic()
        self._seen: Counter[_Kind] = Counter()
        self._more: Counter[_Kind] = Counter()
        self._written = 0

    def refused(
        self,
        actor: Actor,
        tag: str,
        reason: str,
        *,
        subject: str = "",
        organisation_id: UUID | None = None,
    ) -> None:
        """Put one refusal on the trail, or count it. Not inside a transaction."""
        self.write_counted()
        with self._lock:
            one_by_one = self._is_written(_Kind(actor, tag, reason))
        if one_by_one:
            trail.record(
                actor,
                tag,
                trail.Outcome.REFUSED,
                reason=reason,
                subject=subject,
                organisation_id=organisation_id,
                details=_where(actor),
            )

    def write_counted(self) -> None:
        """Once the window is over: a row for everything that was only counted in it."""
        with self._lock:
            if time.monotonic() - self._began < WINDOW_SECONDS:
                return
            counted = self._more
            self.forget()
        for kind, more in counted.items():
            trail.record(
                kind.actor,
                kind.tag,
                trail.Outcome.REFUSED,
                reason=kind.reason,
                details={**_where(kind.actor), "more": more},
            )

    def ensure_running(self) -> None:
        """Counts are written though nobody is refused any more; every connection calls this."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="floods")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await in_database(self.write_counted)
            except Exception:
                log.exception("counted refusals could not be written")

    def _is_written(self, kind: _Kind) -> bool:
        if kind not in self._seen and len(self._seen) >= APART:
            kind = replace(kind, actor=replace(kind.actor, id=None, name="", source=""))
        self._seen[kind] += 1
        if self._seen[kind] <= EACH and self._written < ALL:
            self._written += 1
            return True
        self._more[kind] += 1
        return False


def _where(actor: Actor) -> dict[str, str]:
    return {"from": actor.source} if actor.source else {}


floods = Floods()
