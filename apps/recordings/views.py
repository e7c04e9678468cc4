"""The media worker's door: sealed segments come in here, one request each."""

from __future__ import annotations

import logging
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from access import problems
from access.doors import door
from access.requests import acting
from access.verbs import Verb
from foundation.blobs import BlobsError
from foundation.errors import ConsiliumError
from foundation.sealing.segment import HEADER_BYTES, SEALED_MOST_BYTES
from foundation.wire.worker import SEGMENT_AUDIENCE
from media.actions import workers
from recordings.actions import roll

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
