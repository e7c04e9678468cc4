"""Rows of who is signed in, where, and what an organisation asks of their devices."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Organisation, Person
from vault.fields import SealedText


class DeviceClass(models.TextChoices):
    """What sort of machine a browser says it runs on."""

    COMPUTER = "computer", _("computer")
    TABLET = "tablet", _("tablet")
    PHONE = "phone", _("phone")


class Device(models.Model):
    """One browser of one person, known by a signed cookie once they signed in on it.

    ``secret_hash``: of the secret in that cookie. ``label``: browser and system, as a person would
    recognise them. ``accepted_at``: where an organisation asks for known devices, from when on this
    is one. A revoked device is a stranger again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="devices")
    secret_hash = models.CharField(max_length=64, unique=True)
    device_class = models.CharField(_("kind"), max_length=10, choices=DeviceClass.choices)
    label = SealedText(_("device"))
    registered_at = models.DateTimeField(_("first used"), db_default=Now())
    seen_at = models.DateTimeField(_("last used"), db_default=Now())
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.UUIDField(null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    def __str__(self) -> str:
        return f"device {self.pk}"


class LoginSession(models.Model):
    """A browser session. The key is stored as a keyed hash and the content sealed.

    From the sign-in on it has a ``public_id``, by which its person ends it elsewhere, and ends at
    ``ends_at`` at the latest. ``expire_date`` is moved on by its use, never beyond that.
    """

    session_key = models.CharField(primary_key=True, max_length=64)
    session_data = models.TextField()
    expire_date = models.DateTimeField(db_index=True)
    public_id = models.UUIDField(null=True, unique=True)
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="login_sessions")
    device = models.ForeignKey(Device, models.SET_NULL, null=True)
    signed_in_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return "session"


def no_names() -> list[str]:
    return []


def no_minutes() -> dict[str, int]:
    return {}


class AccessRules(models.Model):
    """What an organisation asks of whoever signs in to it; without a row, the defaults hold.

    ``idle_minutes`` and ``absolute_minutes``: by role, where they differ from the defaults.
    ``known_device_roles``: roles that open nothing on a device they never used before, unless an
    administrator lets it in. ``staff_device_classes`` and ``guest_device_classes``: the only ones
    let in; empty: all.
    """

    organisation = models.OneToOneField(Organisation, models.PROTECT, primary_key=True)
    idle_minutes = models.JSONField(default=no_minutes)
    absolute_minutes = models.JSONField(default=no_minutes)
    known_device_roles = models.JSONField(default=no_names)
    staff_device_classes = models.JSONField(default=no_names)
    guest_device_classes = models.JSONField(default=no_names)

    class Meta:
        verbose_name = _("access rules")
        verbose_name_plural = _("access rules")

    def __str__(self) -> str:
        return f"rules of {self.organisation_id}"
