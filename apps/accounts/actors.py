"""From a request to the ``Actor`` who makes it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership, Organisation, Person
from foundation.actor import Actor, ActorKind, Assurance, Role, anonymous

#: Session key: in which of their organisations a person acts.
ACTING_IN = "acting_in"


class ActorMiddleware:
    """Puts ``request.actor`` (lazily) on every request, after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: actor_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person, acting in one organisation; anonymous otherwise."""
    person = request.user
    if isinstance(person, AnonymousUser) or not isinstance(person, Person):
        return anonymous()
    return actor_for(
        person,
        mfa=_used_second_factor(request, person),
        acting_in=request.session.get(ACTING_IN),
    )


def actor_for(person: Person, *, mfa: bool, acting_in: str | None = None) -> Actor:
    """``person`` acting in ``acting_in``, or in their first organisation."""
    memberships = list(Membership.objects.filter(person=person).order_by("created_at", "pk"))
    organisation_ids = [membership.organisation_id for membership in memberships]
    chosen = _chosen(acting_in, organisation_ids)
    here = [m for m in memberships if m.organisation_id == chosen]
    return Actor(
        kind=ActorKind.PERSON,
        id=person.pk,
        organisation_id=chosen,
        roles=frozenset(Role(m.role) for m in here),
        department_ids=frozenset(m.department_id for m in here if m.department_id),
        assurance=Assurance(mfa=mfa),
    )


def organisation_of(actor: Actor) -> Organisation | None:
    """The organisation the actor acts in."""
    if actor.organisation_id is None:
        return None
    return Organisation.objects.filter(pk=actor.organisation_id).first()


def _chosen(acting_in: str | None, organisation_ids: list[UUID]) -> UUID | None:
    for organisation_id in organisation_ids:
        if str(organisation_id) == acting_in:
            return organisation_id
    return organisation_ids[0] if organisation_ids else None


def _used_second_factor(request: HttpRequest, person: Person) -> bool:
    return any(
        record.get("method") == "mfa" for record in get_authentication_records(request, person)
    )
