"""Who works where, how they come in and how they sign in."""

from __future__ import annotations

from accounts.models.federation import IdentityProvider
from accounts.models.joining import Approver, StaffInvitation
from accounts.models.people import (
    MODE_NAMES,
    ROLE_CHOICES,
    ROLE_NAMES,
    Department,
    Membership,
    Organisation,
    Person,
    all_modes,
    email_index,
)
from accounts.models.signing_in import AccessRules, Device, DeviceClass, LoginSession
from accounts.models.systems import AccessToken

__all__ = [
    "MODE_NAMES",
    "ROLE_CHOICES",
    "ROLE_NAMES",
    "AccessRules",
    "AccessToken",
    "Approver",
    "Department",
    "Device",
    "DeviceClass",
    "IdentityProvider",
    "LoginSession",
    "Membership",
    "Organisation",
    "Person",
    "StaffInvitation",
    "all_modes",
    "email_index",
]
