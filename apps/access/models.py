"""Our own guardian permission row: with an end, a giver and a reason."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models
from guardian.models import UserObjectPermissionAbstract

#: Until ``grants.give`` sets the real end, a grant has ended: a half-made one grants nothing.
_ENDED = datetime(2000, 1, 1, tzinfo=UTC)


class PersonGrant(UserObjectPermissionAbstract):
    """One person's permission for one object until ``expires_at``. Read through ``grants.held``."""

    class Kind(models.TextChoices):
        DELEGATED = "delegated"  # by somebody who has the right themselves
        BROKEN_GLASS = "broken"  # taken by oneself, for a reason that officers were told

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, db_default=Kind.DELEGATED)
    organisation_id = models.UUIDField(null=True, db_index=True)
    expires_at = models.DateTimeField(default=_ENDED)
    granted_by = models.UUIDField(null=True)
    reason_sealed = models.TextField(blank=True)
    #: Whether breaking the glass was right, in the eyes of somebody else.
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.UUIDField(null=True)

    class Meta(UserObjectPermissionAbstract.Meta):
        abstract = False
        indexes = [models.Index(fields=["user", "content_type", "object_pk"])]
