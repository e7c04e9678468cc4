"""The ASGI application: HTTP by Django, sockets by Channels, and the outbox relay beside them."""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - Django must be set up
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from channels.sessions import CookieMiddleware  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from consilium.proxies import TrustedProxies  # noqa: E402
from consilium.sockets import NoSuchSocket, PageSocketsOnlyOverTls, WorkersOnly  # noqa: E402
from media.consumers import WorkerLink  # noqa: E402
from media.watch import watch  # noqa: E402
from outbox.relay import relay  # noqa: E402
from signaling.consumers import MeetingConsumer  # noqa: E402

sockets = URLRouter(
    [
        path(
            "signal",
            AllowedHostsOriginValidator(
                PageSocketsOnlyOverTls(CookieMiddleware(MeetingConsumer.as_asgi()))
            ),
        ),
        path("media/link", WorkersOnly(WorkerLink.as_asgi())),  # type: ignore[arg-type]
        re_path(r"", NoSuchSocket.as_asgi()),
    ]
)
_router = TrustedProxies(
    ProtocolTypeRouter({"http": http, "websocket": sockets}), settings.TRUSTED_PROXIES
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one connection; the first one starts this process's relay and watch."""
    relay.ensure_running()
    watch.ensure_running()
    await _router(scope, receive, send)
