"""Retention: one policy for an organisation, in versions that are never edited."""

from __future__ import annotations

import hashlib
from uuid import UUID

import rfc8785

from recordings.models import RetentionPolicy

#: Ten years, which several countries ask for records of care; until an organisation says otherwise.
FIRST_KEEP_DAYS = 3_653


def current(organisation_id: UUID) -> RetentionPolicy:
    """The policy in force; the first one is made when it is asked for. Expects a transaction."""
    newest = (
        RetentionPolicy.objects.filter(organisation_id=organisation_id).order_by("version").last()
    )
    if newest is not None:
        return newest
    first, _ = RetentionPolicy.objects.get_or_create(
        organisation_id=organisation_id,
        version=1,
        defaults={
            "keep_days": FIRST_KEEP_DAYS,
            "clinician_may_play": True,
            "sha256": digest_of(keep_days=FIRST_KEEP_DAYS, clinician_may_play=True),
        },
    )
    return first


def digest_of(*, keep_days: int, clinician_may_play: bool) -> str:
    """SHA-256 of the policy's canonical form (RFC 8785); 64 hexadecimal digits."""
    words = {"clinician_may_play": clinician_may_play, "keep_days": keep_days}
    return hashlib.sha256(rfc8785.dumps(words)).hexdigest()
