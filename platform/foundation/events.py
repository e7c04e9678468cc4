"""News that travels upward: a context announces, those above subscribe.

A context declares frozen dataclasses in its ``events.py``; a context above subscribes in its
``apps.py``. Handlers run at once, in the announcer's transaction, so what a handler writes
stands or falls with the change it hears of. Handlers do no network or file I/O: they write rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

E = TypeVar("E")

_handlers: dict[type[Any], list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(event_type: type[E], handler: Callable[[E], None]) -> None:
    """Call ``handler`` for each announced event of exactly ``event_type``; once per handler."""
    if handler not in _handlers[event_type]:
        _handlers[event_type].append(handler)


def announce(event: object) -> None:
    """Run every subscriber in order of subscription; the first error stops and propagates."""
    for handler in _handlers[type(event)]:
        handler(event)
