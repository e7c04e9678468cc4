"""Rows of hospitals' own systems and their access tokens."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Organisation, Person
from accounts.models.signing_in import no_names


class AccessToken(models.Model):
    """What one system of a hospital shows with each request (RFC 6750): its hash, scopes and end.

    ``hint``: the token's last four characters, by which people tell two of them apart.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    name = models.CharField(_("system"), max_length=120)
    scopes = models.JSONField(_("may"), default=no_names)
    secret_hash = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=4)
    issued_by = models.ForeignKey(
        Person, models.PROTECT, related_name="+", verbose_name=_("issued by")
    )
    expires_at = models.DateTimeField(_("valid until"))
    used_at = models.DateTimeField(_("last used"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    created_at = models.DateTimeField(_("issued"), db_default=Now())

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        return str(self.pk)

    def __repr__(self) -> str:
        return f"<AccessToken {self.pk}>"

    @property
    def trail_name(self) -> str:
        return f"token:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID:
        return self.organisation_id
