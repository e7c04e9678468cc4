"""The one HTTP door of media: a worker enrols here, once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from access import problems
from access.doors import door
from access.verbs import Verb
from foundation.errors import PROBLEMS
from foundation.wire.worker import Enrol, Enrolled
from media.actions import workers

#: An enrolment is a code, a key and a name.
MAX_ENROL_BYTES = 2_048


@door(Verb.WORKER_ENROL)
@csrf_exempt  # no browser and no cookie is involved: the one-time code is the authority
@require_POST
def enrol(request: HttpRequest) -> HttpResponse:
    if len(request.body) > MAX_ENROL_BYTES:
        return problems.as_json(PROBLEMS["message_too_large"])
    try:
        asked = Enrol.model_validate_json(request.body)
    except ValidationError:
        return problems.as_json(PROBLEMS["form_invalid"])
    worker = workers.enrol(asked.code, asked.public_key, asked.name)
    answer = Enrolled(worker=worker.pk, link_path="/media/link")
    return JsonResponse(answer.model_dump(mode="json"))
