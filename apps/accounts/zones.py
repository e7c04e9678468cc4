"""Whose clock is meant: times are told in an organisation's zone, and the zone is always named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from access.requests import acting
from accounts.actors import organisation_of


def check_zone(name: str) -> None:
    """Raises ``ValidationError`` unless ``name`` is UTC or a place of the IANA database."""
    # "Etc/GMT+2" lies west of Greenwich: nobody who reads a time would guess that.
    place = "/" in name and not name.startswith("Etc/") and name in available_timezones()
    if name != "UTC" and not place:
        raise ValidationError(f"{name!r} is not a time zone such as Europe/Madrid")


def zone(name: str) -> tzinfo:
    """The zone called ``name``; UTC where this machine does not know it."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def zone_words(name: str) -> str:
    """What people call the zone, in the language in force: "Madrid time" for Europe/Madrid."""
    city = name.rpartition("/")[2].replace("_", " ")
    return _("%(city)s time") % {"city": city} if "/" in name else name


class OrganisationTime:
    """Pages tell times in the zone of the organisation that the signed-in person acts in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        organisation = organisation_of(acting(request))
        with timezone.override(zone(organisation.time_zone) if organisation else UTC):
            return self.get_response(request)
