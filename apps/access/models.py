"""Our own guardian permission row: with an end, a giver and a reason."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models
from guardian.models import UserObjectPermissionAbstract

#: Until ``grants.give`` sets the real end, a grant has ended: a half-made one grants nothing.
_ENDED = datetime(2000, 1, 1, tzinfo=UTC)


class PersonGrant(UserObjectPermissionAbstract):
    """One person's permission for one object until ``expires_at``. Read through ``grants.held``."""

    id = models.BigAutoField(primary_key=True)
    organisation_id = models.UUIDField(null=True, db_index=True)
    expires_at = models.DateTimeField(default=_ENDED)
    granted_by = models.UUIDField(null=True)
    reason_sealed = models.TextField(blank=True)

    class Meta(UserObjectPermissionAbstract.Meta):
        abstract = False
        indexes = [models.Index(fields=["user", "content_type", "object_pk"])]
