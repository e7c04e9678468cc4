"""Wrapped keys."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now


class OrganisationKey(models.Model):
    """The key under which an organisation's data stand; ``organisation_id`` empty: installation's.

    ``wrapped`` is what the key service made of it. The newest unretired key seals; all unwrap.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation_id = models.UUIDField(null=True, db_index=True)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation_id"],
                condition=models.Q(retired_at__isnull=True),
                name="vault_one_active_key",
            )
        ]

    def __str__(self) -> str:
        return f"key {self.pk}"


class SigningKey(models.Model):
    """An Ed25519 key pair for one purpose. ``kid`` travels in what it signs.

    The newest signs. After rotation the older one still verifies until what it signed is over.
    """

    class Purpose(models.TextChoices):
        TICKET = "ticket"
        LEASE = "lease"
        MANIFEST = "manifest"

    kid = models.CharField(primary_key=True, max_length=40)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    public = models.CharField(max_length=44)
    private_sealed = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    verifies_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.purpose} key {self.kid}"


class RecordingKey(models.Model):
    """A recording's key, wrapped twice, and the private half of its pair, wrapped under it.

    Destroying empties the wraps and says when; the row stays to say so.
    """

    recording_id = models.UUIDField(primary_key=True, editable=False)
    organisation_id = models.UUIDField(db_index=True)
    organisation_key = models.ForeignKey(OrganisationKey, models.PROTECT)
    wrapped = models.BinaryField()
    public = models.BinaryField()
    private_wrapped = models.BinaryField()
    private_uses = models.PositiveIntegerField(default=0)
    private_destroyed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    shredded_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"key of recording {self.pk}"


class DataKey(models.Model):
    """The key of one stored object, wrapped under its recording's key."""

    object_id = models.UUIDField(primary_key=True, editable=False)
    organisation_id = models.UUIDField(db_index=True)
    recording = models.ForeignKey(RecordingKey, models.PROTECT, related_name="data_keys")
    wrapped = models.BinaryField()
    uses = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"data key of {self.pk}"
