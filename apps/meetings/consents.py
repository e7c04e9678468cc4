"""Reading consents: the words, who agreed to them, and who has still to be asked.

A text is one version of an organisation's words, in every language. Consent is to one text: when
the words change, everybody is asked anew.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import rfc8785
from django.conf import settings
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


def has_answered(place: Participation) -> bool:
    """Whether they agreed to the meeting's text, perhaps changing their mind since.

    Who withdrew may come back into the call: they are not recorded.
    """
    return Consent.objects.filter(
        participation_id=place.pk, text_id=place.meeting.consent_text_id
    ).exists()


def agreed(meeting: Meeting) -> set[UUID]:
    """The places whose consent to the meeting's text stands."""
    return set(
        Consent.objects.filter(
            participation__meeting_id=meeting.pk,
            text_id=meeting.consent_text_id,
            withdrawn_at__isnull=True,
        ).values_list("participation_id", flat=True)
    )


def unanswered(meeting: Meeting) -> list[Participation]:
    """Those in the call who have still to say whether they agree."""
    asked = Participation.objects.filter(
        meeting_id=meeting.pk, state=PlaceState.ADMITTED, socket__isnull=False
    )
    answered = Consent.objects.filter(
        participation__meeting_id=meeting.pk, text_id=meeting.consent_text_id
    )
    return list(asked.exclude(pk__in=answered.values("participation_id")))


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
