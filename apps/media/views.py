"""The one HTTP door of media: a worker enrols here, once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from access import problems
from access.doors import door
from access.requests import acting
from access.verbs import Verb
from foundation.errors import ConsiliumError
from foundation.wire.worker import Enrol, Enrolled
from media.actions import workers

#: An enrolment is a code, a key and a name.
MAX_ENROL_BYTES = 2_048


@door(Verb.WORKER_ENROL)
@csrf_exempt  # no browser and no cookie is involved: the one-time code is the authority
@require_POST
def enrol(request: HttpRequest) -> HttpResponse:
    if len(request.body) > MAX_ENROL_BYTES:
        return _refused(request, ConsiliumError("message_too_large"))
    try:
        asked = Enrol.model_validate_json(request.body)
    except ValidationError:
        return _refused(request, ConsiliumError("form_invalid"))
    try:
        worker = workers.enrol(asked.code, asked.public_key, asked.name, acting(request))
    except ConsiliumError as refusal:
        return _refused(request, refusal)
    answer = Enrolled(worker=worker.pk, link_path="/media/link")
    return JsonResponse(answer.model_dump(mode="json"))


def _refused(request: HttpRequest, refusal: ConsiliumError) -> HttpResponse:
    """In JSON whatever the worker's headers say: it reads nothing else."""
    problems.record(request, refusal)
    return problems.as_json(refusal.problem)
