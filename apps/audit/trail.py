"""Writing the trail."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import rfc8785
from django.db import transaction

from audit.clock import database_now
from audit.models import TrailPersonal, TrailRow
from foundation.actor import Actor
from foundation.keys import personal as personal_text

#: Version of the row's body; a reader of any age must know what it reads.
BODY_VERSION = 1

PERSONAL_LABEL = "audit.trailpersonal.sealed"


class Outcome(StrEnum):
    """How it went: ``done``, or ``refused`` with a reason code."""

    DONE = "done"
    REFUSED = "refused"


def record(
    actor: Actor,
    tag: str,
    outcome: Outcome,
    *,
    organisation_id: UUID | None = None,
    subject: str = "",
    reason: str = "",
    details: dict[str, Any] | None = None,
    personal: dict[str, str] | None = None,
) -> UUID:
    """Add one row; returns its id. Raises whatever the database raises: no row, no action.

    ``tag`` is ``source:subject:action``; ``subject`` is ``kind:id``; ``details`` are JSON values
    that name nobody; ``personal`` is sealed apart.
    """
    row_uuid = uuid4()
    at = database_now()
    organisation_id = organisation_id or actor.organisation_id
    body: Any = {
        "v": BODY_VERSION,
        "id": str(row_uuid),
        "at": at.isoformat(timespec="milliseconds"),
        "organisation": str(organisation_id) if organisation_id else None,
        "actor": actor.label,
        "tag": tag,
        "outcome": outcome.value,
        "reason": reason or None,
        "subject": subject or None,
        "details": details or {},
    }
    with transaction.atomic():
        TrailRow.objects.create(
            uuid=row_uuid,
            organisation_id=organisation_id,
            at=at,
            tag=tag,
            outcome=outcome.value,
            reason=reason,
            actor=actor.label,
            subject=subject,
            body=rfc8785.dumps(body).decode(),
        )
        if personal:
            TrailPersonal.objects.create(
                row_uuid=row_uuid,
                organisation_id=organisation_id,
                sealed=personal_text.seal(organisation_id, PERSONAL_LABEL, json.dumps(personal)),
            )
    return row_uuid


def personal_fields(row: TrailRow) -> dict[str, str]:
    """What names people in ``row``; empty when there is nothing or it was shredded."""
    apart = TrailPersonal.objects.filter(row_uuid=row.uuid).first()
    if apart is None:
        return {}
    fields: dict[str, str] = json.loads(personal_text.open_sealed(PERSONAL_LABEL, apart.sealed))
    return fields
