"""Recordings on the pages of contexts below, which know nothing of recordings."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import RequestContext

from access import gate
from access.requests import acting
from access.verbs import Verb
from meetings.models import Meeting
from recordings import queries
from recordings.models import Recording

register = template.Library()


@register.inclusion_tag("recordings/of_meeting.html", takes_context=True)
def recordings_of(context: RequestContext, meeting: Meeting) -> dict[str, Any]:
    """The recordings of a meeting, in the words of their states; nothing where there are none."""
    lines = queries.lines_of(meeting.pk)
    first = Recording.objects.filter(meeting=meeting).select_related("meeting", "keeper").first()
    actor = acting(context["request"])
    return {
        "lines": lines,
        "may_open": first is not None and gate.allows(actor, Verb.RECORDING_VIEW, first),
    }
