"""The trail as it lies in the database of an installation, read from outside."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from access.verbs import Verb
from tests.servers.installation import Installation


class Trail:
    """The trail as it lies there."""

    def __init__(self, installation: Installation) -> None:
        self.ask = installation.ask
        self._cells = installation.cells

    def last(self) -> int:
        return int(self.ask("SELECT coalesce(max(id), 0) FROM audit_trailrow")[0][0])

    def refusals(self, since: int) -> list[tuple[str, str, str]]:
        """(tag, reason, subject) of what was refused after row ``since``."""
        return self.ask(
            "SELECT tag, reason, subject FROM audit_trailrow WHERE id > ? AND outcome = 'refused'",
            since,
        )

    @contextmanager
    def gains(
        self, verb: Verb | str, reason: str, subject: str = "", count: int = 1
    ) -> Iterator[None]:
        """What happens inside leaves ``count`` refusals of ``verb`` on the trail."""
        since, tag = self.last(), str(verb)
        yield
        deadline = time.monotonic() + 4
        while True:
            rows = self.refusals(since)
            fitting = [r for r in rows if r[:2] == (tag, reason) and subject in r[2]]
            if len(fitting) >= count:
                return
            assert time.monotonic() < deadline, f"no {tag} {reason} {subject} in {rows}"
            time.sleep(0.03)

    def cells_with(self, pattern: re.Pattern[str]) -> list[str]:
        """``table.column`` of every cell of the database that ``pattern`` is found in."""
        return [where for where, cell in self._cells() if pattern.search(str(cell))]
