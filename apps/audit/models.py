"""Rows of the trail, and apart from them what names people."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class TrailRow(models.Model):
    """One thing that happened or was refused. Insert-only: the database refuses anything else.

    ``body`` is the row; the other columns repeat parts of it for searching and are checked
    against it by the verifier.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation_id = models.UUIDField(null=True, db_index=True)
    at = models.DateTimeField(_("time"), db_index=True)
    tag = models.CharField(_("event"), max_length=60, db_index=True)
    outcome = models.CharField(_("outcome"), max_length=10)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    actor = models.CharField(_("who"), max_length=80)
    subject = models.CharField(_("about"), max_length=80, blank=True, db_index=True)
    body = models.TextField(_("the entry as it was written"))

    class Meta:
        verbose_name = _("trail entry")
        verbose_name_plural = _("trail entries")

    def __str__(self) -> str:
        return f"{self.tag} {self.outcome}"


class TrailPersonal(models.Model):
    """Sealed personal fields of one trail row. May be deleted; the row stands without it."""

    row_uuid = models.UUIDField(unique=True)
    organisation_id = models.UUIDField(null=True)
    sealed = models.TextField()

    def __str__(self) -> str:
        return f"personal fields of {self.row_uuid}"
