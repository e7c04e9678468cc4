"""The demo: one hospital, its people and a meeting. Printed sign-in details exist nowhere else.

Made once; a second start finds the organisation and makes nothing. Who lost what was printed gets
new details from ``manage.py demo_sign_in``, and the old ones are worth nothing from then on.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.actors import actor_for
from accounts.models import Department, Membership, Organisation, Person, email_index
from accounts.zones import check_zone
from audit import trail
from foundation.actor import Role, service
from foundation.wire.browser import Mode
from meetings.actions import plan
from recordings import policies
from vault import keyring

ORGANISATION = "Riverside Hospital"
TIME_ZONE = "Europe/Madrid"

#: (name, e-mail, role, department)
PEOPLE = (
    ("Dr Amara Osei", "clinician@example.test", Role.CLINICIAN, "General medicine"),
    ("Dr Jonas Lind", "colleague@example.test", Role.CLINICIAN, "Case conference"),
    ("Priya Nair", "officer@example.test", Role.COMPLIANCE_OFFICER, None),
)

PRIVATE_DEPARTMENT = "General medicine"

#: A department and the kind of meeting it usually holds.
DEPARTMENTS = ((PRIVATE_DEPARTMENT, Mode.PRIVATE), ("Case conference", Mode.GOVERNED))


#: On the trail, beside the person it was done to.
SIGN_IN_RENEWED = "accounts:person:renew_sign_in"


#: The demo's calls may be recorded, and nobody's attempts are kept for long.
KEEP_DAYS = 7


class NoDemo(Exception):
    """There is no demo here; the message is one line."""


def make() -> list[str]:
    """Make the demo unless it is there; returns what to print."""
    if Organisation.objects.filter(name=ORGANISATION).exists():
        return [
            f"Demo: {ORGANISATION}. The sign-in details were shown at the first start; new ones:",
            "  .venv/bin/python manage.py demo_sign_in    (with the settings of this start)",
        ]
    with transaction.atomic():
        organisation = make_organisation(ORGANISATION, TIME_ZONE)
        policies.write(organisation.pk, may_record=True, keep_days=KEEP_DAYS)
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
            lines += _details(person, role, email, password, add_totp(person))
    return [*lines, *_what_to_do(_visit_link(organisation)), *_without_relay(), ""]


def renew_sign_in() -> list[str]:
    """New passwords, TOTP keys and a new visit for the demo's people; returns what to print.

    Raises ``NoDemo``.
    """
    try:
        organisation = Organisation.objects.filter(name=ORGANISATION).first()
    except DatabaseError:  # no tables yet
        organisation = None
    if organisation is None:
        raise NoDemo(f"There is no demo in {settings.DATA}; `make run` makes one.")
    lines = ["", f"Demo: {ORGANISATION}. New sign-in details; the old ones are void:", ""]
    with transaction.atomic():
        for _, email, role, _ in PEOPLE:
            person = Person.objects.get_by_natural_key(email_index(email))
            password = secrets.token_hex(8)
            person.set_password(password)  # which also ends every session
            person.save(update_fields=["password"])
            Authenticator.objects.filter(user=person).delete()
            lines += _details(person, role, email, password, add_totp(person))
            trail.record(
                service("operator"),
                SIGN_IN_RENEWED,
                trail.Outcome.DONE,
                subject=f"person:{person.pk}",
                organisation_id=organisation.pk,
            )
    return [*lines, *_what_to_do(_visit_link(organisation)), ""]


def _details(person: Person, role: Role, email: str, password: str, totp: str) -> list[str]:
    return [
        f"  {person.full_name} ({role.value.replace('_', ' ')})",
        f"    e-mail    {email}",
        f"    password  {password}",
        f"    TOTP key  {totp}",
    ]


def _what_to_do(link: str) -> list[str]:
    return [
        "",
        "  Add the TOTP key to an authenticator app, or: oathtool --totp -b KEY",
        f"  A private visit is planned now. The patient's link: {link}",
        f"  The patient's code arrives as a file in {settings.DATA / 'mail'}",
        "  To try a recording: plan a governed visit, and press Record in the call.",
    ]


def _without_relay() -> list[str]:
    """Why addresses are not hidden, unless they are."""
    if settings.TURN_URLS:
        return []
    return [
        "  Relay-only is off, because no relay is set up (TURN_URLS): the people in a call could",
        "  learn each other's network address. docs/runbooks/first-steps.md shows how to add one.",
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


def _visit_link(organisation: Organisation) -> str:
    """The link of a private visit that is planned now."""
    clinician = Person.objects.get_by_natural_key(email_index("clinician@example.test"))
    _, issued = plan.create_meeting(
        actor_for(clinician, mfa=True),
        organisation,
        department=Department.objects.get(organisation=organisation, name=PRIVATE_DEPARTMENT),
        title="Follow-up",
        mode=Mode.PRIVATE,
        relay_only=bool(settings.TURN_URLS),
        starts_at=timezone.now() + timedelta(minutes=5),
        guest=plan.NewGuest("Rosa Marchetti", "patient@example.test"),
    )
    return f"{settings.PUBLIC_URL}/visit/#{issued.link_secret.text}"
