"""The doors of recordings: segments come in from media workers, and people look at films."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from access import gate, problems
from access.doors import door
from access.requests import acting
from access.verbs import Verb
from accounts.models import Organisation
from foundation.blobs import BlobsError
from foundation.errors import ConsiliumError
from foundation.sealing.segment import HEADER_BYTES, SEALED_MOST_BYTES
from foundation.wire.worker import SEGMENT_AUDIENCE
from media.actions import workers
from recordings import policies, queries, ranges, shown, viewings
from recordings.actions import govern, retire, roll, watch
from recordings.forms import HoldForm, PolicyForm, ReasonForm
from recordings.models import Recording

log = logging.getLogger(__name__)

MAX_SEGMENT_BYTES = HEADER_BYTES + SEALED_MOST_BYTES


@door(Verb.SEGMENT_SHIP)
@csrf_exempt  # no browser and no cookie is involved: the worker's signature is the authority
@require_http_methods(["PUT"])
def segment(request: HttpRequest, recording: UUID, run: UUID, sequence: int) -> HttpResponse:
    """201: kept and on the roll. 200: it was already. Else the reason, as problem details."""
    try:
        worker = workers.worker_of(
            _bearer(request),
            acting(request),
            audience=SEGMENT_AUDIENCE,
            verb=Verb.SEGMENT_SHIP,
        )
        is_new = roll.take_segment(worker, recording, run, sequence, _body(request))
    except ConsiliumError as refusal:
        problems.record(request, refusal)
        return problems.as_json(refusal.problem)
    except BlobsError as problem:
        log.error("a segment could not be kept: %s", problem)
        return problems.as_json(ConsiliumError("try_later").problem)
    return HttpResponse(status=201 if is_new else 200)


def _bearer(request: HttpRequest) -> str:
    scheme, _, assertion = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not assertion:
        raise ConsiliumError("worker_unknown")
    return assertion


def _body(request: HttpRequest) -> bytes:
    """At most one segment. Read after the worker is known: a stranger's is not kept in memory."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > MAX_SEGMENT_BYTES:
        raise ConsiliumError("message_too_large")
    return request.read()


# ---------------------------------------------------------------- looking at what is stored

#: The longest answer to one range. A browser asks for the rest when it needs it (RFC 9110, 15.3.7
#: allows that), so that no film holds a connection for as long as it is watched.
ANSWER_BYTES = 1 << 20


@door(Verb.RECORDING_VIEW)
@require_GET
def page(request: HttpRequest, recording: UUID) -> HttpResponse:
    found = _recording(recording)
    gate.require(acting(request), Verb.RECORDING_VIEW, found)
    return _page(request, found)


@door(Verb.RECORDING_PLAY)
@require_POST
def play(request: HttpRequest, recording: UUID) -> HttpResponse:
    try:
        opened = watch.play(
            acting(request), recording, _session(request), request.POST.get("reason", "")
        )
    except ConsiliumError as refusal:
        return _page_or_raise(request, recording, refusal)
    return redirect("viewing", recording, opened.pk)


@door(Verb.RECORDING_INSPECT)
@require_POST
def inspect(request: HttpRequest, recording: UUID) -> HttpResponse:
    try:
        opened = watch.inspect(
            acting(request), recording, _session(request), request.POST.get("reason", "")
        )
    except ConsiliumError as refusal:
        return _page_or_raise(request, recording, refusal)
    return redirect("viewing", recording, opened.pk)


@door(Verb.VIEWING_READ)
@require_GET
def viewing(request: HttpRequest, recording: UUID, viewing: UUID) -> HttpResponse:
    """The player."""
    screen = viewings.find(recording, viewing, _session(request))
    gate.require(acting(request), Verb.VIEWING_READ, screen)
    found = screen.viewing.recording
    context = {
        "recording": found,
        "viewing": screen.viewing,
        "reel": queries.reel(screen.viewing),
        "line": shown.line(found),
    }
    return render(request, "recordings/viewing.html", context)


@door(Verb.VIEWING_READ)
@require_safe
def film(request: HttpRequest, recording: UUID, viewing: UUID, film: UUID) -> HttpResponseBase:
    """A film, or the part of it that is asked for (RFC 9110, section 14).

    A range is answered with its beginning, up to ``ANSWER_BYTES``; several ranges with the whole.
    """
    actor = acting(request)
    screen = viewings.find(recording, viewing, _session(request))
    found = watch.film_of(actor, screen, film)
    total, tag = found.plaintext_bytes, f'"{found.pk}"'
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store", "ETag": tag}
    whole = ranges.Span(0, total, total)
    if request.method == "HEAD":
        return _film(headers, whole)
    asked = request.headers.get("Range")
    if request.headers.get("If-Range", tag) != tag:
        asked = None  # it was another film that they have a part of
    try:
        span = ranges.wanted(asked, total)
    except ranges.Unsatisfiable:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{total}"})
    if span is not None:
        span = replace(span, end=min(span.end, span.start + ANSWER_BYTES))
        headers["Content-Range"] = span.content_range
        return _film(headers, span, b"".join(watch.read(actor, screen, found, span)), status=206)
    pieces = watch.read(actor, screen, found, whole)
    first = next(pieces)  # here, what is wrong at the beginning has a status of its own
    answer = StreamingHttpResponse(_given(first, pieces), content_type="video/webm")
    answer.headers = _film(headers, whole).headers
    return answer


def _film(
    headers: dict[str, str], span: ranges.Span, body: bytes = b"", status: int = 200
) -> HttpResponse:
    answer = HttpResponse(body, status=status, content_type="video/webm", headers=headers)
    answer["Content-Length"] = str(span.length)
    return answer


async def _given(first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made on the request's own thread when the one before it is on its way.

    One that cannot be given is the end: the answer is shorter than it said, and the web process
    cuts the connection.
    """
    piece: bytes | None = first
    try:
        while piece is not None:
            yield piece
            piece = await sync_to_async(_next)(pieces)
    finally:
        await sync_to_async(pieces.close)()  # type: ignore[attr-defined]


def _next(pieces: Iterator[bytes]) -> bytes | None:
    try:
        return next(pieces, None)
    except ConsiliumError:
        return None  # it is on the trail


# ---------------------------------------------------------------- governing


@door(Verb.RECORDING_HOLD)
@require_POST
def hold(request: HttpRequest, recording: UUID) -> HttpResponse:
    try:
        retire.hold(acting(request), recording, request.POST.get("reason", ""))
    except ConsiliumError as refusal:
        if refusal.code != "form_invalid":
            raise
        return _page(request, _recording(recording), hold=HoldForm(request.POST), status=400)
    messages.success(request, _("The recording is on hold: nothing of it is destroyed."))
    return redirect("recording", recording)


@door(Verb.RECORDING_RELEASE)
@require_POST
def release(request: HttpRequest, recording: UUID, hold: UUID) -> HttpResponse:
    retire.release(acting(request), hold)
    messages.success(request, _("The hold was released. From now on its date counts again."))
    return redirect("recording", recording)


@door(Verb.POLICY_WRITE)
@require_http_methods(["GET", "POST"])
def policy(request: HttpRequest, organisation: UUID) -> HttpResponse:
    """What the organisation says about recordings."""
    actor = acting(request)
    found = Organisation.objects.filter(pk=organisation).first()
    if found is None:
        raise ConsiliumError("not_found")
    gate.require(actor, Verb.POLICY_WRITE, found)
    before = policies.in_force(organisation)
    form = PolicyForm(request.POST or None, initial=queries.policy_words(before))
    if request.method == "POST" and form.is_valid():
        after = govern.change_policy(actor, organisation, **form.cleaned_data)
        if before is not None and after.pk == before.pk:
            messages.info(request, _("Nothing was changed."))
        else:
            messages.success(request, _("The new version is in force from now on."))
        return redirect("recording-policy", organisation)
    return render(
        request,
        "recordings/policy.html",
        {"form": form, "policy": before, "versions": policies.versions(organisation)},
        status=400 if request.method == "POST" else 200,
    )


def _recording(recording_id: UUID) -> Recording:
    found = (
        Recording.objects.select_related("meeting", "keeper", "policy")
        .filter(pk=recording_id)
        .first()
    )
    if found is None:
        raise ConsiliumError("not_found")
    return found


def _session(request: HttpRequest) -> str:
    return viewings.session_name(request.session.session_key)


#: What somebody can do something about on the recording's own page.
_SAID_ON_THE_PAGE = frozenset({"reason_missing", "second_factor_stale"})


def _page_or_raise(
    request: HttpRequest, recording_id: UUID, refusal: ConsiliumError
) -> HttpResponse:
    if refusal.code not in _SAID_ON_THE_PAGE:
        raise refusal
    return _page(
        request,
        _recording(recording_id),
        reason=ReasonForm(request.POST),
        problem=refusal,
        status=refusal.problem.status,
    )


def _page(
    request: HttpRequest,
    found: Recording,
    *,
    reason: ReasonForm | None = None,
    hold: HoldForm | None = None,
    problem: ConsiliumError | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = acting(request)
    inspects = gate.allows(actor, Verb.RECORDINGS_SHOW, found)
    context = {
        "recording": found,
        "line": shown.line(found),
        "films": queries.films_of(found),
        "can_play": gate.allows(actor, Verb.RECORDING_PLAY, found),
        "plays_by_policy": found.policy.clinician_may_play,
        "inspects": inspects,
        "can_inspect": gate.allows(actor, Verb.RECORDING_INSPECT, found),
        "can_hold": gate.allows(actor, Verb.RECORDING_HOLD, found),
        "can_release": gate.allows(actor, Verb.RECORDING_RELEASE, found),
        "holds": queries.holds_of(found) if inspects else [],
        "viewings": queries.viewings_of(found) if inspects else [],
        "reason": reason or ReasonForm(),
        "hold": hold or HoldForm(),
        "problem": {"code": problem.code, "text": _(problem.problem.text)} if problem else None,
        "minutes": int(watch.LASTS.total_seconds() // 60),
    }
    return render(request, "recordings/recording.html", context, status=status)
