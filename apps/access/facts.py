"""What a decision rests on. Subjects supply their facts; the table imports nobody above it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from foundation.actor import Actor, ActorKind, Assurance


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about one actor and one subject.

    ``roles``: every role the actor holds towards the subject, organisation roles and roles in the
    meeting together. ``state``: the subject's state by value. ``same_organisation``: a stranger
    to the organisation is told that there is nothing. ``consent_owed``: what goes on asks for an
    agreement that is not there.
    """

    same_organisation: bool
    roles: frozenset[str] = frozenset()
    state: str = ""
    assurance: Assurance = field(default_factory=Assurance)
    consent_owed: bool = False


def belongs(actor: Actor, organisation_id: UUID | None) -> bool:
    """Whether the actor acts in this organisation; services of the installation act in all."""
    return actor.kind is ActorKind.SERVICE or actor.organisation_id == organisation_id


def base_roles(actor: Actor) -> set[str]:
    """The roles an actor has before any subject is looked at: its kind, its offices, its scopes."""
    return {actor.kind.value, *(o.role.value for o in actor.offices), *actor.scopes}


def roles_over(actor: Actor, department_id: UUID | None) -> set[str]:
    """The same towards a row of one department: an office elsewhere in the house is none here."""
    offices = (o.role.value for o in actor.offices if o.covers(department_id))
    return {actor.kind.value, *offices, *actor.scopes}


class Named(Protocol):
    """What the trail can name."""

    @property
    def trail_name(self) -> str:
        """``kind:id`` for the trail."""
        ...

    @property
    def trail_organisation_id(self) -> UUID | None: ...


class Subject(Named, Protocol):
    """What a decision is about."""

    def facts_for(self, actor: Actor) -> Facts: ...


@dataclass(frozen=True, slots=True)
class Installation:
    """The subject of what concerns no organisation's row: the platform as a whole."""

    organisation_id: UUID | None = None

    def facts_for(self, actor: Actor) -> Facts:
        return Facts(
            same_organisation=True,
            roles=frozenset(base_roles(actor)),
            assurance=actor.assurance,
        )

    @property
    def trail_name(self) -> str:
        return "installation"

    @property
    def trail_organisation_id(self) -> UUID | None:
        return self.organisation_id
