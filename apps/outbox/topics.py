"""Who delivers which topic. Contexts register their deliverers when they start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Payload = dict[str, Any]

#: Delivered in a web process, which may speak to the channel layer.
Deliver = Callable[[Payload], Awaitable[None]]

TASK_TOPIC = "task"  # {"name": Celery task, "args": [ids]}
GROUP_TOPIC = "group"  # {"group": channel layer group, "message": {...}}

_deliverers: dict[str, Deliver] = {}


def deliver_with(topic: str, deliver: Deliver) -> None:
    """Deliver rows of ``topic`` by ``deliver``."""
    _deliverers[topic] = deliver


def delivered_topics() -> list[str]:
    """Every topic that somebody delivers."""
    return list(_deliverers)


def deliverer_of(topic: str) -> Deliver:
    """Raises ``KeyError`` for a topic nobody delivers."""
    return _deliverers[topic]
