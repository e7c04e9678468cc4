"""Names of channel layer groups around media."""

from __future__ import annotations

from uuid import UUID

from outbox.publishing import publish
from outbox.topics import GROUP_TOPIC


def worker_group(worker_id: UUID) -> str:
    """The one connection of a worker."""
    return f"worker.{worker_id.hex}"


def tell_worker(worker_id: UUID, command: str, **fields: object) -> None:
    """Owe a command to a worker. Expects the change's transaction."""
    message = {"type": f"worker.{command}", **fields}
    publish(GROUP_TOPIC, None, {"group": worker_group(worker_id), "message": message})
