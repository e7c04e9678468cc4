"""What every page may show of the organisation the person acts in, and whose clock it tells."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from accounts.actors import organisation_of
from accounts.zones import zone_words


def organisation(request: HttpRequest) -> dict[str, Any]:
    actor = getattr(request, "actor", None)
    return {
        "actor_organisation": organisation_of(actor) if actor is not None else None,
        "is_demo": settings.DEMO,
        "zone": zone_words(timezone.get_current_timezone_name()),
    }
