"""Grants to one person for one object, with an end: django-guardian's, on our own table.

A grant is a fact for the decision, never a decision. Whoever reads grants reads them through
``held``, which leaves out what has expired.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Now
from guardian.shortcuts import assign_perm

from access.models import PersonGrant
from foundation.keys import personal

_REASON_LABEL = "access.persongrant.reason_sealed"


def give(
    person: Any,
    permission: str,
    subject: models.Model,
    *,
    expires_at: datetime,
    granted_by: UUID,
    reason: str,
) -> PersonGrant:
    """Grant ``permission`` (a codename of the model) for ``subject`` until ``expires_at``.

    Given again, the newest end and reason count. Expects the caller's transaction.
    """
    organisation_id: UUID = subject.organisation_id  # type: ignore[attr-defined]
    grant = cast("PersonGrant", assign_perm(permission, person, subject))
    grant.expires_at = expires_at
    grant.granted_by = granted_by
    grant.organisation_id = organisation_id
    grant.reason_sealed = personal.seal(organisation_id, _REASON_LABEL, reason)
    grant.save()
    return grant


def held(person_id: UUID, subject: models.Model) -> frozenset[str]:
    """The codenames that ``person_id`` holds for ``subject`` right now."""
    return frozenset(
        PersonGrant.objects.filter(
            user_id=person_id,
            content_type=ContentType.objects.get_for_model(subject),
            object_pk=str(subject.pk),
            expires_at__gt=Now(),
        ).values_list("permission__codename", flat=True)
    )


def subjects_of(
    person_id: UUID, permission: str, model: type[models.Model]
) -> models.QuerySet[Any]:
    """Primary keys (as text) of the ``model`` rows for which the person holds ``permission``."""
    return PersonGrant.objects.filter(
        user_id=person_id,
        content_type=ContentType.objects.get_for_model(model),
        permission__codename=permission,
        expires_at__gt=Now(),
    ).values("object_pk")
