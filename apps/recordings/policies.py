"""Retention: one policy for an organisation, in versions that are never edited.

Closed by default: nobody records before the organisation has said that calls may be recorded.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import rfc8785
from django.db.models import QuerySet

from recordings.models import RetentionPolicy

#: Ten years, which several countries ask for records of care; until an organisation says otherwise.
FIRST_KEEP_DAYS = 3_653


def versions(organisation_id: UUID) -> QuerySet[RetentionPolicy]:
    """All that were ever in force, the newest first."""
    return RetentionPolicy.objects.filter(organisation_id=organisation_id).order_by("-version")


def in_force(organisation_id: UUID) -> RetentionPolicy | None:
    """The newest version; None before anybody asked for one, when nothing may be recorded."""
    return versions(organisation_id).first()


def current(organisation_id: UUID) -> RetentionPolicy:
    """The policy in force; the first one is made when it is asked for. Expects a transaction."""
    newest = in_force(organisation_id)
    return newest if newest is not None else write(organisation_id)


def may_record(organisation_id: UUID) -> bool:
    """Whether calls may be recorded there now. Makes nothing."""
    newest = in_force(organisation_id)
    return newest is not None and newest.may_record


def write(
    organisation_id: UUID,
    *,
    may_record: bool = False,
    keep_days: int = FIRST_KEEP_DAYS,
    clinician_may_play: bool = True,
) -> RetentionPolicy:
    """A new version, in force from now on. ``IntegrityError``: somebody else was first."""
    words = {
        "clinician_may_play": clinician_may_play,
        "keep_days": keep_days,
        "may_record": may_record,
    }
    return RetentionPolicy.objects.create(
        organisation_id=organisation_id,
        version=versions(organisation_id).count() + 1,
        sha256=digest_of(words),
        **words,
    )


def digest_of(words: dict[str, bool | int]) -> str:
    """SHA-256 of the policy's canonical form (RFC 8785); 64 hexadecimal digits."""
    return hashlib.sha256(rfc8785.dumps(dict(words))).hexdigest()
