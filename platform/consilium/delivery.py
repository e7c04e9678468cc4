"""How the outbox's topics are delivered: hints to the channel layer, work to Celery."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from consilium.celery import app
from outbox.topics import GROUP_TOPIC, TASK_TOPIC, Payload, deliver_with


def register() -> None:
    deliver_with(GROUP_TOPIC, to_group)
    deliver_with(TASK_TOPIC, to_celery)


async def to_group(payload: Payload) -> None:
    await get_channel_layer().group_send(payload["group"], payload["message"])


async def to_celery(payload: Payload) -> None:
    # Publishing talks to the broker; it must not hold up the event loop.
    await sync_to_async(app.send_task, thread_sensitive=False)(payload["name"], payload["args"])
