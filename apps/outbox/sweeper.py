"""The sweeper: finishes what no relay delivered, whatever a broker lost."""

from __future__ import annotations

import logging
from uuid import uuid4

from asgiref.sync import async_to_sync

from outbox import claims
from outbox.topics import TASK_TOPIC, deliverer_of

log = logging.getLogger(__name__)


def sweep() -> int:
    """Deliver owed tasks; returns how many. Group hints are left to the web processes' relays.

    One that can't be delivered stays owed and keeps no other from being delivered.
    """
    swept = 0
    for row in claims.claim(claims.owed(topics=[TASK_TOPIC]), uuid4()):
        try:
            async_to_sync(deliverer_of(row.topic))(row.payload)
        except Exception:
            log.exception("outbox row %s of topic %s was not delivered", row.pk, row.topic)
            continue
        claims.delivered([row.pk])
        swept += 1
    return swept
