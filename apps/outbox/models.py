"""Rows of the outbox."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class OutboxRow(models.Model):
    """One delivery owed. ``organisation_id`` is empty only for the installation's own business."""

    organisation_id = models.UUIDField(null=True)
    topic = models.CharField(max_length=40)
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    claimed_by = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"],
                name="outbox_owed",
                condition=models.Q(delivered_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic} #{self.pk}"
