"""Reading consents: the words, who agreed to them, and who has still to be asked.

A text is one version of an organisation's words, in every language. Consent is to one question in
these words: when it is asked again, everybody is asked anew, also who agreed to an earlier one.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import rfc8785
from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext_noop

from meetings.lifecycle import PlaceState
from meetings.models import Consent, ConsentText, Meeting, Participation

#: The first version of every organisation's words. Who could see it stands on the same screen.
FIRST_WORDS = gettext_noop(
    "This call would be recorded: your voice and your picture, and what you show of your screen. "
    "The recording is encrypted and becomes part of your care record at this organisation. "
    "You may say no; the call goes on without a recording. If you agree, you can change your mind "
    "at any time during the call, and nothing more of you is recorded from that moment."
)


def digest_of(texts: dict[str, str]) -> str:
    """SHA-256 of the canonical form (RFC 8785) of all languages; 64 hexadecimal digits."""
    return hashlib.sha256(rfc8785.dumps(dict(texts))).hexdigest()


def current_text(organisation_id: UUID) -> ConsentText:
    """The organisation's newest words; made from ours the first time. Expects a transaction."""
    newest = ConsentText.objects.filter(organisation_id=organisation_id).order_by("version").last()
    return newest if newest is not None else _first_text(organisation_id)


def answers(meeting: Meeting) -> QuerySet[Consent]:
    """Consents to what the meeting asks now, withdrawn ones too; none while it asks nothing."""
    if meeting.consent_question is None:
        return Consent.objects.none()
    return Consent.objects.filter(
        participation__meeting_id=meeting.pk, question=meeting.consent_question
    )


def agreed(meeting: Meeting) -> set[UUID]:
    """The places whose consent to the meeting's question stands."""
    return set(
        answers(meeting)
        .filter(withdrawn_at__isnull=True)
        .values_list("participation_id", flat=True)
    )


def unanswered(meeting: Meeting) -> list[Participation]:
    """Those in the call who have still to say whether they agree."""
    asked = Participation.objects.filter(
        meeting_id=meeting.pk, state=PlaceState.ADMITTED, socket__isnull=False
    )
    return without_answer(meeting, asked)


def without_answer(meeting: Meeting, places: QuerySet[Participation]) -> list[Participation]:
    """Those of ``places`` who never agreed to the meeting's question, whatever they did since."""
    return list(places.exclude(pk__in=answers(meeting).values("participation_id")))


def _first_text(organisation_id: UUID) -> ConsentText:
    texts = {}
    for language, _ in settings.LANGUAGES:
        with translation.override(language):
            texts[language] = translation.gettext(FIRST_WORDS)
    text, _ = ConsentText.objects.get_or_create(
        organisation_id=organisation_id,
        version=1,
        defaults={"texts": texts, "sha256": digest_of(texts)},
    )
    return text
