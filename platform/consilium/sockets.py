"""Who may knock at which socket, before any message is read. Whoever may not is on the trail."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import OriginValidator

from access import gate
from access.requests import address_of
from access.verbs import Verb
from accounts.actors import stranger
from foundation.errors import ConsiliumError
from outbox.database import in_database

Scope = dict[str, Any]


class Shut(AsyncWebsocketConsumer):
    """Closed before it is opened: the handshake is answered with 403."""

    def __init__(self, verb: Verb = Verb.DOOR_KNOCK, code: str = "not_found") -> None:
        super().__init__()
        self._verb, self._code = verb, code

    async def connect(self) -> None:
        # First, because closing ends this consumer.
        await in_database(_record, address_of(self.scope), self._verb, self._code)
        await self.close()


class PagesOnly(OriginValidator):
    """Pages of this host alone, and over TLS (T2).

    Daphne's WebSocket scope does not say whether TLS was used; the page's origin does, and a
    browser does not let a page lie about it.
    """

    _elsewhere = staticmethod(Shut.as_asgi(verb=Verb.ROOM_JOIN, code="cross_site"))

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        origin = dict(scope["headers"]).get(b"origin", b"").decode("latin-1")
        inner = self.application if self._is_ours(origin) else self._elsewhere
        await inner(scope, receive, send)

    def _is_ours(self, origin: str) -> bool:
        try:
            return origin.startswith("https://") and self.valid_origin(urlparse(origin))
        except ValueError:  # such as "https://["
            return False


class WorkersOnly:
    """Media workers send no Origin; whoever sends one is a browser and has no business here."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.elsewhere = Shut.as_asgi(verb=Verb.WORKER_LINK, code="cross_site")

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        browser = b"origin" in dict(scope["headers"])
        await (self.elsewhere if browser else self.inner)(scope, receive, send)


def _record(address: str, verb: Verb, code: str) -> None:
    gate.record_refusal(stranger(address), verb, ConsiliumError(code))
