"""Reading recordings: what a screen in the call shows of one, running or over, and what pages do
afterwards.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from audit.clock import database_now
from foundation.wire import browser as wire
from meetings import consents
from meetings.lifecycle import PlaceState
from meetings.models import Consent, ConsentText, Participation
from meetings.presence import SEEN_LASTS
from recordings import policies
from recordings.actions.ask import active
from recordings.lifecycle import ACTIVE, RecordingState
from recordings.models import Hold, Recording, RetentionPolicy, StoredFilm, Viewing
from recordings.policies import FIRST_KEEP_DAYS
from recordings.shown import Line, line


def recordable(organisation_id: UUID, mode: wire.Mode) -> wire.Recordable:
    """Whether a call of this kind may be recorded there, as things stand."""
    if mode != wire.Mode.GOVERNED:
        return wire.Recordable.NOT_THIS_KIND
    may = policies.may_record(organisation_id)
    return wire.Recordable.YES if may else wire.Recordable.NOT_BY_POLICY


def shown(meeting_id: UUID, participation_id: UUID, language: str) -> wire.RecordingShown | None:
    """The recording that is asked for or runs, as one place is told of it; None without one."""
    recording = active(meeting_id)
    if recording is None:
        return None
    answered = (
        consents.answers(recording.meeting).filter(participation_id=participation_id).exists()
    )
    return wire.RecordingShown(
        state=recording.state,
        falters=_falters(recording),
        since=recording.started_at,
        keeper=recording.keeper_id,
        agreed=sorted(consents.agreed(recording.meeting), key=str),
        unanswered=sorted((place.pk for place in _unanswered_inside(recording)), key=str),
        outside=sorted((place.pk for place in _outside(recording)), key=str),
        terms=_terms(recording.policy),
        question=None if answered else _question(recording.text, recording.policy, language),
    )


def over(meeting_id: UUID) -> wire.RecordingOver | None:
    """What became of the newest recording; None before one is over, or while one is active."""
    newest = Recording.objects.filter(meeting_id=meeting_id).order_by("asked_at").last()
    if newest is None or newest.state in ACTIVE | _LONG_OVER:
        return None
    return wire.RecordingOver(
        id=newest.pk, state=newest.state, why=newest.end_reason, percent=newest.percent
    )


#: A call does not last that long.
_LONG_OVER = frozenset({RecordingState.SHREDDED, RecordingState.REMOVED})


def question_at_the_door(participation_id: UUID, language: str) -> wire.Question | None:
    """What one who was let in has to agree to before entering."""
    place = Participation.objects.select_related("meeting__consent_text").get(pk=participation_id)
    text = place.meeting.consent_text
    if text is None or not place.owes_consent():
        return None
    recording = active(place.meeting_id)
    with transaction.atomic():
        policy = recording.policy if recording else policies.current(place.organisation_id)
    return _question(text, policy, language)


def _question(text: ConsentText, policy: RetentionPolicy, language: str) -> wire.Question:
    return wire.Question(text=text.pk, words=text.in_language(language), terms=_terms(policy))


def _terms(policy: RetentionPolicy) -> wire.Terms:
    clinician = ["clinician"] if policy.clinician_may_play else []
    return wire.Terms(seen_by=[*clinician, "compliance_officer"], keep_days=policy.keep_days)


def _unanswered_inside(recording: Recording) -> list[Participation]:
    places = consents.unanswered(recording.meeting)
    return [place for place in places if place.socket_purpose == wire.Purpose.JOIN]


def _outside(recording: Recording) -> list[Participation]:
    """Let in, their page is open, and they have not agreed: they stand before the call."""
    if not recording.meeting.consent_needed_to_enter:
        return []
    at_the_door = recording.meeting.participations.filter(
        state=PlaceState.ADMITTED,
        socket__isnull=False,
        socket_purpose=wire.Purpose.WAIT.value,
        seen_at__gt=database_now() - SEEN_LASTS,
    )
    return consents.without_answer(recording.meeting, at_the_door)


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
        question=recording.pk,
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
