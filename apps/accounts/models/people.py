"""Who works where."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from access.facts import Facts, base_roles, belongs
from foundation.actor import Actor, Role
from foundation.wire.browser import Mode
from vault import sealing
from vault.fields import SealedText

ROLE_NAMES = {
    Role.CLINICIAN: _("clinician"),
    Role.COMPLIANCE_OFFICER: _("compliance officer"),
    Role.COORDINATOR: _("coordinator"),
    Role.IT_ADMINISTRATOR: _("IT administrator"),
    Role.PATIENT: _("patient"),
}
ROLE_CHOICES = [(role.value, name) for role, name in ROLE_NAMES.items()]
MODE_NAMES = {Mode.PRIVATE: _("private"), Mode.GOVERNED: _("governed")}


def all_modes() -> list[str]:
    return [mode.value for mode in Mode]


class Organisation(models.Model):
    """A tenant. ``allowed_modes``: which kinds of meeting it permits at all.

    ``time_zone``: an IANA name, in which its pages and mails tell times.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    allowed_modes = models.JSONField(_("allowed kinds of meeting"), default=all_modes)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.name

    def facts_for(self, actor: Actor) -> Facts:
        return Facts(
            same_organisation=belongs(actor, self.pk),
            roles=frozenset(base_roles(actor)),
            assurance=actor.assurance,
        )

    @property
    def trail_name(self) -> str:
        return f"organisation:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID:
        return self.pk


class Department(models.Model):
    """A part of an organisation; its ``mode_preset`` fills in the form of a new meeting."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="departments")
    name = models.CharField(_("name"), max_length=120)
    mode_preset = models.CharField(
        _("usual kind of meeting"),
        max_length=10,
        choices=[(mode.value, name) for mode, name in MODE_NAMES.items()],
        default=Mode.PRIVATE.value,
    )

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")

    def __str__(self) -> str:
        return self.name


def email_index(email: str) -> str:
    """How a person is found by e-mail: keyed, so the column shows no address."""
    return sealing.index(None, "accounts.person.email", email.strip().casefold())


class PersonManager(BaseUserManager):  # type: ignore[type-arg]
    def create_person(self, email: str, full_name: str, password: str | None = None) -> Person:
        """A new person; without a password nobody can sign in as them."""
        person: Person = self.model(
            email=email.strip(), email_index=email_index(email), full_name=full_name
        )
        person.set_password(password)
        person.save()
        return person

    def get_by_natural_key(self, username: str | None) -> Person:
        found: Person = self.get(email_index=username)
        return found


class Person(AbstractBaseUser):
    """Somebody with an account, in whichever organisations their memberships say.

    A person belongs to no single tenant, so their own columns stand under the installation's key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = SealedText(_("e-mail"))
    email_index = models.CharField(max_length=64, unique=True)
    full_name = SealedText(_("name"))
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email_index"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    #: Django's admin asks; our AdminSite decides by the gate instead.
    is_staff = True
    is_superuser = False

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return str(self.full_name)

    def __repr__(self) -> str:
        return f"<Person {self.pk}>"

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Nothing is decided by Django's permissions; see ``access.gate``."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


class Membership(models.Model):
    """A person's role in an organisation, in one department or (empty) across all of it.

    ``granted_by``: a person's id; empty where the installation's operator gave it.
    ``provider``: the identity provider that gave it, and may take it away.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="memberships")
    person = models.ForeignKey(
        Person, models.PROTECT, related_name="memberships", verbose_name=_("person")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name=_("department")
    )
    role = models.CharField(_("role"), max_length=20, choices=ROLE_CHOICES)
    granted_by = models.UUIDField(null=True)
    provider = models.ForeignKey("IdentityProvider", models.PROTECT, null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("person and role")
        verbose_name_plural = _("people and roles")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "person", "department", "role"],
                name="accounts_membership_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}"
