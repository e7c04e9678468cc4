"""The ASGI application: HTTP by Django, sockets by Channels, and the outbox relay beside them."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - Django must be set up
from channels.sessions import CookieMiddleware  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from access.floods import floods  # noqa: E402
from consilium.proxies import TrustedProxies  # noqa: E402
from consilium.sockets import PagesOnly, Shut, WorkersOnly  # noqa: E402
from media.consumers import WorkerLink  # noqa: E402
from media.watch import watch  # noqa: E402
from outbox.relay import relay  # noqa: E402
from signaling import closing  # noqa: E402
from signaling.consumers import MeetingConsumer  # noqa: E402

# A web process is one loop and some threads at the database, all waiting for the interpreter's lock
# for moments. With the default of 5 ms each of a message's queries can wait so long behind another.
sys.setswitchinterval(0.0005)

closing.by_registered_codes()

pages = PagesOnly(CookieMiddleware(MeetingConsumer.as_asgi()), settings.ALLOWED_HOSTS)
sockets = URLRouter(
    [
        path("signal", pages),  # type: ignore[arg-type]
        path("media/link", WorkersOnly(WorkerLink.as_asgi())),  # type: ignore[arg-type]
        re_path(r"", Shut.as_asgi()),
    ]
)
_router = TrustedProxies(
    ProtocolTypeRouter({"http": http, "websocket": sockets}), settings.TRUSTED_PROXIES
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one connection; the first one starts what each process runs beside its requests."""
    relay.ensure_running()
    watch.ensure_running()
    floods.ensure_running()
    await _router(scope, receive, send)
