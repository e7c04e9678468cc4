"""Writing what must arrive."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from outbox.models import OutboxRow

_wakers: list[Callable[[str], None]] = []


def publish(topic: str, organisation_id: UUID | None, payload: dict[str, Any]) -> None:
    """Owe a delivery of ``payload`` (JSON values, no secrets, no personal data) to ``topic``.

    Must be called inside the transaction of the change it announces; raises ``RuntimeError``
    elsewhere, because a row written alone could announce what then does not happen.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("outbox.publish needs the transaction of the change")
    OutboxRow.objects.create(topic=topic, organisation_id=organisation_id, payload=payload)
    for wake in _wakers:
        transaction.on_commit(partial(wake, topic))


def when_published(wake: Callable[[str], None]) -> None:
    """Call ``wake`` with the topic after each commit that published: the relay's shortcut past its
    polling.
    """
    _wakers.append(wake)
