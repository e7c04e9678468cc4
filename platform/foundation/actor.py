"""Who acts. Every decision, change and trail entry names an ``Actor`` explicitly.

An actor always acts *in* one organisation (``organisation_id``), except a service of the
installation itself and a person who has not chosen one yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class ActorKind(StrEnum):
    """What sort of being acts; the trail stores the value."""

    ANONYMOUS = "anonymous"  # a browser nobody has vouched for yet
    GUEST = "guest"  # an invited patient without an account
    PERSON = "person"  # somebody with an account
    SERVICE = "service"  # a task of this installation, e.g. the sweeper
    SYSTEM = "system"  # a hospital's own system, known by its access token
    WORKER = "worker"  # an enrolled media worker


class Role(StrEnum):
    """A person's role in an organisation (requirement I4)."""

    CLINICIAN = "clinician"
    COMPLIANCE_OFFICER = "compliance_officer"
    COORDINATOR = "coordinator"
    IT_ADMINISTRATOR = "it_administrator"
    PATIENT = "patient"


class Scope(StrEnum):
    """What a hospital's system may do by its token; the policy table names these as roles."""

    MEETINGS_READ = "meetings_read"
    MEETINGS_WRITE = "meetings_write"
    PEOPLE_READ = "people_read"
    RECORDINGS_READ = "recordings_read"


@dataclass(frozen=True, slots=True)
class Office:
    """A role in an organisation: in one department, or (without one) across all of it."""

    role: Role
    department_id: UUID | None = None

    def covers(self, department_id: UUID | None) -> bool:
        """Whether it extends to a row of this department; one without is the whole house's."""
        return self.department_id is None or self.department_id == department_id


@dataclass(frozen=True, slots=True)
class Assurance:
    """How surely we know the actor: facts for the policy table, not opinions.

    ``mfa`` is true when this sign-in used a second factor; ``verified_by`` lists how a guest
    was verified, e.g. ``("mailbox",)``. ``mfa_is_fresh``: a second factor was used
    within the last minutes. ``device_refused``: the reason for which the organisation's rules keep
    this device out; empty where they don't. ``by_token``: a system that showed its access token.
    """

    mfa: bool = False
    verified_by: tuple[str, ...] = ()
    mfa_is_fresh: bool = False
    device_refused: str = ""
    by_token: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """One acting being. ``id`` is empty for anonymous browsers; ``name`` says which service.

    ``offices``: of a person, in the organisation they act in. ``scopes``: of a system.
    ``source`` tells nobodies apart: a keyed hash of where they are, never the address.
    """

    kind: ActorKind
    id: UUID | None = None
    organisation_id: UUID | None = None
    offices: frozenset[Office] = frozenset()
    assurance: Assurance = field(default_factory=Assurance)
    name: str = ""
    source: str = ""
    scopes: frozenset[Scope] = frozenset()

    @property
    def roles(self) -> frozenset[Role]:
        """Every role held in the organisation, wherever in it."""
        return frozenset(office.role for office in self.offices)

    @property
    def department_ids(self) -> frozenset[UUID]:
        """The departments in which there is an office."""
        return frozenset(o.department_id for o in self.offices if o.department_id is not None)

    @property
    def label(self) -> str:
        """A stable name for logs and the trail that identifies nobody by itself."""
        return f"{self.kind}:{self.id or self.name or '-'}"


def anonymous(source: str = "") -> Actor:
    """The browser nobody has vouched for yet."""
    return Actor(ActorKind.ANONYMOUS, source=source)


def service(name: str, organisation_id: UUID | None = None) -> Actor:
    """A task of this installation, such as ``service("sweeper")``."""
    return Actor(ActorKind.SERVICE, organisation_id=organisation_id, name=name)
