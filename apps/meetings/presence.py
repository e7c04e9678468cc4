"""How long a page counts as there."""

from __future__ import annotations

from datetime import timedelta

#: A page pings every 5 s; after this long without one, its place is no longer connected.
SEEN_LASTS = timedelta(seconds=15)
