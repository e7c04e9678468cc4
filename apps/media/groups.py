"""Names of channel layer groups around media."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from uuid import UUID

from outbox.publishing import publish
from outbox.topics import GROUP_TOPIC

log = logging.getLogger(__name__)

#: Whoever asks goes on without the layer after this: a worker's renewals must not wait for Redis.
LAYER_SECONDS = 1.0


async def stay_in_group(layer: Any, group: str, channel: str) -> None:
    """Be in ``group`` still, or again: a layer that was emptied knows nobody, and what it is given
    for them is lost without a word. To be repeated; does nothing while the layer is away.
    """
    try:
        async with asyncio.timeout(LAYER_SECONDS):
            await layer.group_add(group, channel)
    except Exception as error:  # noqa: BLE001 - whatever the layer is made of
        log.warning("the channel layer does not answer: %s", type(error).__name__)


def worker_group(worker_id: UUID) -> str:
    """The one connection of a worker."""
    return f"worker.{worker_id.hex}"


def tell_worker(worker_id: UUID, command: str, **fields: object) -> None:
    """Owe a command to a worker. Expects the change's transaction."""
    message = {"type": f"worker.{command}", **fields}
    publish(GROUP_TOPIC, None, {"group": worker_group(worker_id), "message": message})
