"""Rows of how staff come in, and who is trusted to approve."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.people import ROLE_CHOICES, Department, Organisation, Person
from vault.fields import SealedText


class StaffInvitation(models.Model):
    """A way into an organisation for one colleague: the hash of a link's secret."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    full_name = SealedText(_("name"))
    email = SealedText(_("e-mail"))
    role = models.CharField(_("role"), max_length=20, choices=ROLE_CHOICES)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name=_("department")
    )
    secret_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=10, default="issued")
    invited_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    accepted_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField(_("valid until"))
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.pk)


class Approver(models.Model):
    """Somebody whom another person enrolled to approve sensitive acts, from a week later on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", verbose_name=_("person"))
    enrolled_by = models.ForeignKey(
        Person, models.PROTECT, related_name="+", verbose_name=_("enrolled by")
    )
    enrolled_at = models.DateTimeField(_("enrolled"), db_default=Now())

    class Meta:
        verbose_name = _("approver")
        verbose_name_plural = _("approvers")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "person"], name="accounts_approver_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(person=models.F("enrolled_by")),
                name="accounts_approver_by_another",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
