"""The sweeper: finishes what no relay delivered, whatever a broker lost."""

from __future__ import annotations

from uuid import uuid4

from asgiref.sync import async_to_sync

from outbox import claims
from outbox.topics import TASK_TOPIC, deliverer_of


def sweep() -> int:
    """Deliver owed tasks; returns how many. Group hints are left to the web processes' relays."""
    swept = 0
    for row in claims.claim(claims.owed(topics=[TASK_TOPIC]), uuid4()):
        async_to_sync(deliverer_of(row.topic))(row.payload)
        claims.delivered([row.pk])
        swept += 1
    return swept
