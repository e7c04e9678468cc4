"""Reading recordings: what a screen in the call shows of one."""

from __future__ import annotations

from uuid import UUID

from foundation.wire import browser as wire
from meetings import consents
from meetings.models import Consent, ConsentText, Participation
from recordings.actions.ask import active
from recordings.lifecycle import RecordingState
from recordings.models import Recording


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
