"""Answering with a problem: RFC 9457 for programs, a kind page for people."""

from __future__ import annotations

from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext

from foundation.errors import PROBLEMS, ConsiliumError, Problem

CONTENT_TYPE = "application/problem+json"


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


def answer(request: HttpRequest, error: ConsiliumError) -> HttpResponse:
    """The fitting form of ``error`` for this request."""
    if wants_json(request):
        return as_json(error.problem)
    return as_page(request, error.problem)


def drf_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Django REST framework's ``EXCEPTION_HANDLER``: every error in one shape."""
    from rest_framework import exceptions  # noqa: PLC0415 - DRF reads settings at import
    from rest_framework.views import exception_handler, set_rollback  # noqa: PLC0415

    if isinstance(exc, ConsiliumError):
        set_rollback()
        return as_json(exc.problem)
    if isinstance(exc, exceptions.Throttled):
        answer = as_json(PROBLEMS["too_many_attempts"])
        answer.headers["Retry-After"] = str(ceil(getattr(exc, "wait", None) or 1))
        return answer
    unread = exceptions.ValidationError | exceptions.ParseError | exceptions.UnsupportedMediaType
    if isinstance(exc, unread | RecursionError):  # the last: JSON too deep to be parsed
        return as_json(PROBLEMS["form_invalid"])
    if isinstance(exc, exceptions.APIException):
        known = {403: "not_permitted", 404: "not_found", 401: "sign_in_required"}
        code = known.get(exc.status_code)
        if code:
            return as_json(PROBLEMS[code])
    return exception_handler(exc, context)
