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
    WORKER = "worker"  # an enrolled media worker


class Role(StrEnum):
    """A person's role in an organisation (requirement I4)."""

    CLINICIAN = "clinician"
    COMPLIANCE_OFFICER = "compliance_officer"
    COORDINATOR = "coordinator"
    IT_ADMINISTRATOR = "it_administrator"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class Assurance:
    """How surely we know the actor: facts for the policy table, not opinions.

    ``mfa`` is true when this sign-in used a second factor; ``verified_by`` lists how a guest
    was verified, e.g. ``("mailbox",)``. ``mfa_is_fresh``: a code of their authenticator was typed
    within the last minutes.
    """

    mfa: bool = False
    verified_by: tuple[str, ...] = ()
    mfa_is_fresh: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """One acting being. ``id`` is empty for anonymous browsers; ``name`` says which service.

    ``source`` tells nobodies apart: a keyed hash of where they are, never the address.
    """

    kind: ActorKind
    id: UUID | None = None
    organisation_id: UUID | None = None
    roles: frozenset[Role] = frozenset()
    department_ids: frozenset[UUID] = frozenset()
    assurance: Assurance = field(default_factory=Assurance)
    name: str = ""
    source: str = ""

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
