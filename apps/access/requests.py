"""The actor that rides on a request. Middleware of ``accounts`` puts it there."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from foundation.actor import Actor


def acting(request: HttpRequest) -> Actor:
    """Who makes this request."""
    return cast("Actor", request.actor)  # type: ignore[attr-defined]
