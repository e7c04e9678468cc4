"""Who is who in the tests, named by role.

``clinician`` and ``colleague`` work in one department of a hospital, ``officer`` watches over it,
``patient`` and ``interpreter`` are its guests, and ``stranger`` works at another hospital and must
see nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.actors import actor_for
from accounts.models import Department, Organisation, Person
from consilium.demo import make_organisation, make_person
from consilium.management.commands.prepare import make_missing_keys
from foundation.actor import Actor, Role
from foundation.wire.browser import Mode
from meetings.actions import plan
from meetings.models import Meeting

#: Fixed, so that hashing is the only slow thing about a password.
PASSWORD = "correct horse battery staple"

#: Names that are searched for where no personal data may be.
PATIENT_NAME = "Rosa Canaryname"
PATIENT_EMAIL = "rosa.canarymail@example.test"
INTERPRETER_NAME = "Ivo Canaryname"
INTERPRETER_EMAIL = "ivo.canarymail@example.test"


@dataclass
class Cast:
    hospital: Organisation
    elsewhere: Organisation
    department: Department
    clinician: Person
    colleague: Person
    coordinator: Person
    administrator: Person
    officer: Person
    stranger: Person
    foreign_officer: Person

    def acting(self, person: Person, *, mfa: bool = True) -> Actor:
        """``person`` as an actor, signed in with a second factor unless said otherwise."""
        return actor_for(person, mfa=mfa)

    def meeting(
        self, mode: Mode = Mode.PRIVATE, host: Person | None = None
    ) -> tuple[Meeting, plan.Issued]:
        """A meeting of now with ``patient`` invited."""
        return plan.create_meeting(
            self.acting(host or self.clinician),
            self.hospital,
            department=self.department,
            title="Canarytitle",
            mode=mode,
            relay_only=False,
            starts_at=timezone.now() + timedelta(minutes=1),
            guest=plan.NewGuest(PATIENT_NAME, PATIENT_EMAIL),
        )


def assemble() -> Cast:
    """Two hospitals and their people, in the current database."""
    make_missing_keys()
    hospital, elsewhere = make_organisation("Canary Hospital"), make_organisation("Elsewhere")
    department = Department.objects.create(
        organisation=hospital, name="General medicine", mode_preset=Mode.PRIVATE.value
    )

    def person(name: str, role: Role, organisation: Organisation = hospital) -> Person:
        email = f"{name.lower().replace(' ', '.')}@example.test"
        in_department = department if role is Role.CLINICIAN and organisation is hospital else None
        return make_person(organisation, name, email, role, None, in_department)

    return Cast(
        hospital=hospital,
        elsewhere=elsewhere,
        department=department,
        clinician=person("Clara Clinician", Role.CLINICIAN),
        colleague=person("Cole Colleague", Role.CLINICIAN),
        coordinator=person("Cora Coordinator", Role.COORDINATOR),
        administrator=person("Ian Administrator", Role.IT_ADMINISTRATOR),
        officer=person("Olive Officer", Role.COMPLIANCE_OFFICER),
        stranger=person("Stan Stranger", Role.CLINICIAN, elsewhere),
        foreign_officer=person("Fay Officer", Role.COMPLIANCE_OFFICER, elsewhere),
    )
