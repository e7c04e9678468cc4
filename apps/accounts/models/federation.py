"""Rows of hospitals' identity providers (OpenID Connect)."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Organisation
from accounts.models.signing_in import no_names
from vault.fields import SealedText


def no_roles() -> dict[str, str]:
    return {}


class IdentityProvider(models.Model):
    """Where an organisation's people sign in with the hospital's own account.

    ``issuer``: as the provider writes it, compared character by character (OpenID Connect Discovery
    1.0, 4.3). ``role_claim``: which claim of the ID token names somebody's groups, and
    ``claim_roles`` which of our roles each group has. ``second_factor_acr`` and
    ``second_factor_amr``: values of ``acr`` and ``amr`` that say that a second factor was used.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    name = models.CharField(_("name"), max_length=120)
    issuer = models.CharField(_("issuer"), max_length=300)
    client_id = models.CharField(_("client id"), max_length=200)
    client_secret = SealedText(_("client secret"))
    role_claim = models.CharField(_("claim of the groups"), max_length=100, default="groups")
    claim_roles = models.JSONField(_("roles by group"), default=no_roles)
    second_factor_acr = models.JSONField(default=no_names)
    second_factor_amr = models.JSONField(default=no_names)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "issuer", "client_id"], name="accounts_provider_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
