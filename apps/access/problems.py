"""Answering with a problem: RFC 9457 for programs, a kind page for people."""

from __future__ import annotations

from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext

from access import gate
from access.doors import verb_asked_for
from access.requests import acting
from foundation.errors import PROBLEMS, ConsiliumError, Problem

CONTENT_TYPE = "application/problem+json"


class SlowedDown(ConsiliumError):
    """``too_many_attempts``, with the seconds after which it is worth trying again."""

    def __init__(self, wait_seconds: float | None) -> None:
        super().__init__("too_many_attempts")
        self.wait_seconds = wait_seconds or 1


def as_json(problem: Problem, detail: str = "") -> JsonResponse:
    """``application/problem+json``; ``code`` is stable, ``detail`` is for the person."""
    return JsonResponse(
        {
            "type": f"urn:consilium:problem:{problem.code}",
            "title": gettext(problem.text),
            "status": problem.status,
            "code": problem.code,
            "detail": detail or gettext(problem.text),
        },
        status=problem.status,
        content_type=CONTENT_TYPE,
    )


def as_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A page that says what happened and what to do next."""
    return render(
        request,
        "refused.html",
        {"problem": {"code": problem.code, "text": gettext(problem.text)}},
        status=problem.status,
    )


def wants_json(request: HttpRequest) -> bool:
    return request.content_type == "application/json" or "application/json" in request.headers.get(
        "Accept", ""
    )


def record(request: HttpRequest, error: ConsiliumError) -> None:
    """See that the trail has this refusal: the door is the last who can."""
    gate.record_refusal(acting(request), verb_asked_for(request), error)


def answer(request: HttpRequest, error: ConsiliumError) -> HttpResponse:
    """The fitting form of ``error`` for this request; the trail has it afterwards."""
    record(request, error)
    if wants_json(request):
        return as_json(error.problem)
    return as_page(request, error.problem)


def cross_site(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's ``CSRF_FAILURE_VIEW``. A page and no problem: our scripts then renew their token."""
    record(request, ConsiliumError("cross_site"))
    return render(request, "403_csrf.html", status=PROBLEMS["cross_site"].status)


def throttled(request: HttpRequest) -> HttpResponse:
    """What allauth answers with when it slows somebody down (``handler429`` of the URLs)."""
    return answer(request, ConsiliumError("too_many_attempts"))


def drf_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Django REST framework's ``EXCEPTION_HANDLER``: every error in one shape, and on the trail."""
    from rest_framework.views import (  # noqa: PLC0415 - DRF reads settings at import
        exception_handler,
        set_rollback,
    )

    error = _error_of(exc)
    if error is None:
        return exception_handler(exc, context)
    set_rollback()
    record(context["request"]._request, error)  # noqa: SLF001 - DRF's way to what it wraps
    answer = as_json(error.problem)
    if isinstance(error, SlowedDown):
        answer.headers["Retry-After"] = str(ceil(error.wait_seconds))
    return answer


def _error_of(exc: Exception) -> ConsiliumError | None:
    """The registered problem that ``exc`` stands for; None where there is none."""
    from rest_framework import exceptions  # noqa: PLC0415 - as above

    if isinstance(exc, ConsiliumError):
        return exc
    if isinstance(exc, exceptions.Throttled):
        return SlowedDown(getattr(exc, "wait", None))
    unread = exceptions.ValidationError | exceptions.ParseError | exceptions.UnsupportedMediaType
    if isinstance(exc, unread | RecursionError):  # the last: JSON too deep to be parsed
        return ConsiliumError("form_invalid")
    if isinstance(exc, exceptions.APIException):
        code = {403: "not_permitted", 404: "not_found", 401: "sign_in_required"}
        if exc.status_code in code:
            return ConsiliumError(code[exc.status_code])
    return None
