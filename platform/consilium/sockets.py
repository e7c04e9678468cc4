"""Who may knock at which socket, before any message is read."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

Scope = dict[str, Any]


class NoSuchSocket(AsyncWebsocketConsumer):
    """Any other path: closed before it is opened."""

    async def connect(self) -> None:
        await self.close()


class PageSocketsOnlyOverTls:
    """Pages connect with an ``https`` origin; an ``http`` one is refused (T2).

    Daphne's WebSocket scope does not say whether TLS was used; the page's origin does, and a
    browser does not let a page lie about it.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        origin = dict(scope["headers"]).get(b"origin", b"")
        if not origin.startswith(b"https://"):
            await NoSuchSocket.as_asgi()(scope, receive, send)
            return
        await self.inner(scope, receive, send)


class WorkersOnly:
    """Media workers send no Origin; whoever sends one is a browser and has no business here."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if b"origin" in dict(scope["headers"]):
            await NoSuchSocket.as_asgi()(scope, receive, send)
            return
        await self.inner(scope, receive, send)
