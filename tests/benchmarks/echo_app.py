"""A bare Channels echo, to compare with: no ticket, no schema, no database."""

from __future__ import annotations

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

if not settings.configured:
    settings.configure(SECRET_KEY="bench", ALLOWED_HOSTS=["*"])


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data=text_data)


application = ProtocolTypeRouter({"websocket": URLRouter([re_path("", Echo.as_asgi())])})
