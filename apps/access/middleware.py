"""Closed by default: a view without a mark is not served; a refusal is answered in one place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from access import gate, problems
from access.doors import Public, door_asked_for, door_of
from access.facts import Installation
from access.gate import Refusal
from access.requests import acting
from foundation.errors import ConsiliumError

log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]


class ClosedByDefault:
    """Serves only views that name a verb or say why they are public.

    The verb of a library's view is asked of the gate here, since the library doesn't ask.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if door_of(view) is not None:
            return None
        found = door_asked_for(request)
        if isinstance(found, Public):
            return None
        if found is None:
            log.error("the route %s names no verb", request.resolver_match)
            return problems.answer(request, Refusal("not_permitted"))
        try:
            gate.require(acting(request), found, Installation(acting(request).organisation_id))
        except Refusal as refusal:
            # What process_view raises reaches no process_exception: it would be a 500.
            return problems.answer(request, refusal)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, ConsiliumError):
            return problems.answer(request, exception)
        return None
