"""Consent: asked by whatever needs it, given, refused and withdrawn by each on their own screen."""

from __future__ import annotations

from uuid import UUID

from access.actions import action
from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from foundation.events import announce
from meetings import consents
from meetings.events import ConsentGiven, ConsentRefused, ConsentWithdrawn
from meetings.models import Consent, ConsentText, Meeting, Participation
from meetings.rooms import room_changed


def ask(meeting: Meeting, question: UUID) -> ConsentText:
    """From now on everybody's screen asks for the organisation's text, whatever they agreed to
    before. Expects the transaction of the act that needs it, whose id ``question`` is.
    """
    text = consents.current_text(meeting.organisation_id)
    _set(meeting, text, question, needed_to_enter=False)
    return text


def need_to_enter(meeting: Meeting) -> None:
    """What was agreed to begins: whoever comes is asked before they enter. As ``ask``."""
    _set(meeting, meeting.consent_text, meeting.consent_question, needed_to_enter=True)


def ask_no_more(meeting: Meeting) -> None:
    """It is over: nobody is asked, and what was given stays written. As ``ask``."""
    _set(meeting, None, None, needed_to_enter=False)


def _set(
    meeting: Meeting, text: ConsentText | None, question: UUID | None, *, needed_to_enter: bool
) -> None:
    meeting.consent_text, meeting.consent_question = text, question
    meeting.consent_needed_to_enter = needed_to_enter
    meeting.save(update_fields=["consent_text", "consent_question", "consent_needed_to_enter"])
    room_changed(meeting)


def give(actor: Actor, participation_id: UUID, text_id: UUID) -> None:
    """Agree to the text that was shown. Refused: ``consent_not_asked``, ``consent_text_changed``.

    Saying it twice is saying it once.
    """
    places = Participation.objects.filter(pk=participation_id)
    with action(actor, Verb.CONSENT_GIVE, places) as act:
        place: Participation = act.subject
        text, question = _asked(place, text_id)
        if place.pk not in consents.agreed(place.meeting):
            Consent.objects.create(
                organisation_id=place.organisation_id,
                participation=place,
                text=text,
                question=question,
                given_at=database_now(),
            )
        act.details |= {"text": str(text.pk), "sha256": text.sha256}
        announce(ConsentGiven(place.organisation_id, place.meeting_id, place.pk))
        room_changed(place.meeting)


def refuse(actor: Actor, participation_id: UUID, text_id: UUID) -> None:
    """Not agree. Refused as ``give``; who had agreed withdraws instead."""
    places = Participation.objects.filter(pk=participation_id)
    with action(actor, Verb.CONSENT_REFUSE, places) as act:
        place: Participation = act.subject
        text, _ = _asked(place, text_id)
        if place.pk in consents.agreed(place.meeting):
            raise ConsiliumError("wrong_state")
        act.details |= {"text": str(text.pk)}
        announce(ConsentRefused(place.organisation_id, place.meeting_id, place.pk))
        room_changed(place.meeting)


def withdraw(actor: Actor, participation_id: UUID) -> None:
    """Agree no more, from this moment. Refused: ``wrong_state`` for who had not agreed."""
    places = Participation.objects.filter(pk=participation_id)
    with action(actor, Verb.CONSENT_WITHDRAW, places) as act:
        place: Participation = act.subject
        standing = consents.answers(place.meeting).filter(
            participation=place, withdrawn_at__isnull=True
        )
        withdrawn = standing.update(withdrawn_at=database_now())
        if not withdrawn:
            raise ConsiliumError("wrong_state")
        act.details |= {"text": str(place.meeting.consent_text_id)}
        announce(ConsentWithdrawn(place.organisation_id, place.meeting_id, place.pk))
        room_changed(place.meeting)


def _asked(place: Participation, text_id: UUID) -> tuple[ConsentText, UUID]:
    """The text that is asked for, which must be the one that was read, and by which question."""
    text, question = place.meeting.consent_text, place.meeting.consent_question
    if text is None or question is None:
        raise ConsiliumError("consent_not_asked")
    if text.pk != text_id:
        raise ConsiliumError("consent_text_changed")
    return text, question
