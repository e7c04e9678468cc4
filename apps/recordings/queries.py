"""Reading recordings: what a screen in the call shows of one, and what pages do afterwards."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from audit.clock import database_now
from foundation.wire import browser as wire
from meetings import consents
from meetings.models import Consent, ConsentText, Participation
from recordings.actions.ask import active
from recordings.lifecycle import RecordingState
from recordings.models import Hold, Recording, RetentionPolicy, StoredFilm, Viewing
from recordings.policies import FIRST_KEEP_DAYS
from recordings.shown import Line, line


def shown(meeting_id: UUID, participation_id: UUID, language: str) -> wire.RecordingShown | None:
    """The recording that is asked for or runs, as one place is told of it; None without one."""
    recording = active(meeting_id)
    if recording is None:
        return None
    answered = Consent.objects.filter(
        participation_id=participation_id, text_id=recording.text_id
    ).exists()
    return wire.RecordingShown(
        state=recording.state,
        falters=_falters(recording),
        keeper=recording.keeper_id,
        agreed=sorted(consents.agreed(recording.meeting), key=str),
        question=None if answered else _question(recording.text, language),
    )


def question_at_the_door(participation_id: UUID, language: str) -> wire.Question | None:
    """What one who was let in has to agree to before entering."""
    place = Participation.objects.select_related("meeting__consent_text").get(pk=participation_id)
    text = place.meeting.consent_text
    if text is None or not place.meeting.consent_needed_to_enter or consents.has_answered(place):
        return None
    return _question(text, language)


def _question(text: ConsentText, language: str) -> wire.Question:
    return wire.Question(text=text.pk, words=text.in_language(language))


def _falters(recording: Recording) -> bool:
    """Whether the worker does other than it was told. One that said nothing yet is starting."""
    if recording.state != RecordingState.RECORDING:
        return False
    return (
        recording.worker_state in {"failed", "stopped"} or recording.worker_reason == "spool_full"
    )


# ---------------------------------------------------------------- pages


def lines_of(meeting_id: UUID) -> list[Line]:
    """Every recording of a meeting, oldest first."""
    return [
        line(recording)
        for recording in Recording.objects.filter(meeting_id=meeting_id).order_by("asked_at")
    ]


def films_of(recording: Recording) -> QuerySet[StoredFilm]:
    """Those that can be read, in the order in which they begin."""
    return (
        StoredFilm.objects.filter(recording=recording, read_back_at__isnull=False)
        .select_related("place__person", "place__guest")
        .order_by("starts_ms", "pk")
    )


def holds_of(recording: Recording) -> QuerySet[Hold]:
    return recording.holds.select_related("placed_by", "released_by").order_by("placed_at")


def viewings_of(recording: Recording) -> QuerySet[Viewing]:
    return recording.viewings.select_related("person").order_by("-opened_at")[:50]


def policy_in_force(organisation_id: UUID) -> RetentionPolicy | None:
    """The newest version; None before anybody asked for one, when nothing may be recorded."""
    return policies_of(organisation_id).first()


def policies_of(organisation_id: UUID) -> QuerySet[RetentionPolicy]:
    return RetentionPolicy.objects.filter(organisation_id=organisation_id).order_by("-version")


def policy_words(policy: RetentionPolicy | None) -> dict[str, bool | int]:
    """What a form about it begins with."""
    if policy is None:
        return {"may_record": False, "keep_days": FIRST_KEEP_DAYS, "clinician_may_play": True}
    return {
        "may_record": policy.may_record,
        "keep_days": policy.keep_days,
        "clinician_may_play": policy.clinician_may_play,
    }


def reel(viewing: Viewing) -> dict[str, Any]:
    """What the player is told: films with their addresses, who was there when, what is missing.

    Times are milliseconds since the recording began.
    """
    recording = viewing.recording
    assert recording.started_at is not None
    films = list(films_of(recording))
    gaps = json.loads(recording.manifest)["manifest"]["gaps"]
    ends = [film.starts_ms + film.duration_ms for film in films]
    return {
        "duration": max([1, *ends]),
        "left": max(0, int((viewing.until - database_now()).total_seconds() * 1000)),
        "films": [
            {
                "id": str(film.pk),
                "url": reverse("viewing-film", args=[recording.pk, viewing.pk, film.pk]),
                "place": str(film.place_id),
                "name": film.place.display_name,
                "screen": "screen" in film.sources,
                "sources": film.sources,
                "starts": film.starts_ms,
                "duration": film.duration_ms,
            }
            for film in films
        ],
        "gaps": [
            {"from": g["from_ms"], "to": g["to_ms"], "film": g["object"], "reason": g["reason"]}
            for g in gaps
        ],
        "withdrawals": _withdrawals(recording),
    }


def _withdrawals(recording: Recording) -> list[dict[str, Any]]:
    """Who changed their mind while it ran, and when."""
    assert recording.started_at is not None
    given_back = Consent.objects.filter(
        participation__meeting_id=recording.meeting_id,
        text_id=recording.text_id,
        withdrawn_at__gte=recording.started_at,
        withdrawn_at__lte=recording.ended_at,
    ).order_by("withdrawn_at")
    return [
        {
            "place": str(row.participation_id),
            "at": int((row.withdrawn_at - recording.started_at).total_seconds() * 1000),
        }
        for row in given_back
        if row.withdrawn_at is not None
    ]
