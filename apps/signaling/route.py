"""Where a page's descriptions and candidates go, read once and believed for a moment.

A browser trickles up to sixteen candidates at once, just when everybody waits for the first
picture. What is believed longer than it is true reaches a media attempt that has ended: the other
side drops it by its epoch, and whoever was put out has been told and closed by then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from foundation.wire import browser as wire

#: A removal ends media within two seconds; this must stay well below.
BELIEVED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Route:
    """To the other side of one media attempt: ``group`` is its page's or its worker's."""

    link: wire.Link
    epoch: int
    group: str
    read_at: float = field(default_factory=time.monotonic)

    def serves(self, link: wire.Link, epoch: int) -> bool:
        """Whether a message of ``link`` and ``epoch`` may go this way without asking again."""
        young = time.monotonic() - self.read_at < BELIEVED_SECONDS
        return young and (self.link, self.epoch) == (link, epoch)


class LastRoute:
    """The one a socket used last."""

    def __init__(self) -> None:
        self._route: Route | None = None

    def known(self, link: wire.Link, epoch: int) -> Route | None:
        route = self._route
        return route if route is not None and route.serves(link, epoch) else None

    def remember(self, route: Route) -> None:
        self._route = route
