"""The demo: one hospital, its people and a meeting. Printed sign-in details exist nowhere else.

Made once; a second start finds the organisation and makes nothing.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actors import actor_for
from accounts.models import Department, Membership, Organisation, Person, email_index
from accounts.zones import check_zone
from foundation.actor import Role
from foundation.wire.browser import Mode
from meetings.actions import plan
from vault import keyring

ORGANISATION = "Riverside Hospital"
TIME_ZONE = "Europe/Madrid"

#: (name, e-mail, role, department)
PEOPLE = (
    ("Dr Amara Osei", "clinician@example.test", Role.CLINICIAN, "General medicine"),
    ("Dr Jonas Lind", "colleague@example.test", Role.CLINICIAN, "Case conference"),
    ("Priya Nair", "officer@example.test", Role.COMPLIANCE_OFFICER, None),
)

#: A department and the kind of meeting it usually holds.
DEPARTMENTS = (("General medicine", Mode.PRIVATE), ("Case conference", Mode.GOVERNED))


def make() -> list[str]:
    """Make the demo unless it is there; returns the lines to print once."""
    if Organisation.objects.filter(name=ORGANISATION).exists():
        return []
    with transaction.atomic():
        organisation = make_organisation(ORGANISATION, TIME_ZONE)
        departments = {
            name: Department.objects.create(
                organisation=organisation, name=name, mode_preset=mode.value
            )
            for name, mode in DEPARTMENTS
        }
        lines = ["", f"Demo: {ORGANISATION}. These sign-in details are shown once:", ""]
        for name, email, role, department in PEOPLE:
            password = secrets.token_hex(8)
            person = make_person(
                organisation, name, email, role, password, departments.get(department or "")
            )
            secret = add_totp(person)
            lines += [
                f"  {name} ({role.value.replace('_', ' ')})",
                f"    e-mail    {email}",
                f"    password  {password}",
                f"    TOTP key  {secret}",
            ]
    link = _meeting(organisation, departments["General medicine"])
    return [
        *lines,
        "",
        "  Add the TOTP key to an authenticator app, or: oathtool --totp -b KEY",
        f"  A private visit is planned now. The patient's link: {link}",
        f"  The patient's code arrives as a file in {settings.DATA / 'mail'}",
        "",
    ]


def make_organisation(name: str, time_zone: str = "UTC") -> Organisation:
    """An organisation with its key. Raises ``ValidationError`` for a zone that is none."""
    check_zone(time_zone)
    organisation = Organisation.objects.create(name=name, time_zone=time_zone)
    keyring.make_key(organisation.pk)
    return organisation


def make_person(
    organisation: Organisation,
    name: str,
    email: str,
    role: Role,
    password: str | None,
    department: Department | None = None,
) -> Person:
    """A person with one membership."""
    person = Person.objects.create_person(email, name, password)
    Membership.objects.create(
        organisation=organisation, person=person, role=role.value, department=department
    )
    return person


def add_totp(person: Person) -> str:
    """Give ``person`` a TOTP authenticator; returns its key."""
    secret: str = generate_totp_secret()
    Authenticator.objects.create(
        user=person,
        type=Authenticator.Type.TOTP,
        data={"secret": get_adapter().encrypt(secret)},
    )
    return secret


def _meeting(organisation: Organisation, department: Department) -> str:
    clinician = Person.objects.get_by_natural_key(email_index("clinician@example.test"))
    _, issued = plan.create_meeting(
        actor_for(clinician, mfa=True),
        organisation,
        department=department,
        title="Follow-up",
        mode=Mode.PRIVATE,
        relay_only=bool(settings.TURN_URLS),
        starts_at=timezone.now() + timedelta(minutes=5),
        guest=plan.NewGuest("Rosa Marchetti", "patient@example.test"),
    )
    return f"{settings.PUBLIC_URL}/visit/#{issued.link_secret.text}"
