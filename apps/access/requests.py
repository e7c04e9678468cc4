"""Who makes a request (middleware of ``accounts`` puts it there), and from where."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest

from foundation.actor import Actor


def acting(request: HttpRequest) -> Actor:
    """Who makes this request."""
    return cast("Actor", request.actor)  # type: ignore[attr-defined]


def address_of(scope: dict[str, Any]) -> str:
    """The other end of a socket's connection; empty if the server does not say."""
    client = scope.get("client")
    return str(client[0]) if client else ""
