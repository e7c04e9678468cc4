"""From a request to the ``Actor`` who makes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from uuid import UUID

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership, Organisation, Person
from foundation.actor import Actor, ActorKind, Assurance, Office, Role, anonymous
from vault.sealing import keyed_hash

#: Session key: in which of their organisations a person acts.
ACTING_IN = "acting_in"

#: How long a code that was typed shows that its person is at the keyboard. Longer, and whoever sits
#: down at an open screen passes for them; shorter, and forms are not filled in before it is over.
FRESH_SECONDS = 300


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
        return stranger(request.META.get("REMOTE_ADDR", ""))
    return actor_for(
        person,
        mfa=_used_second_factor(request, person),
        mfa_is_fresh=_has_just_typed_a_code(request, person),
        acting_in=request.session.get(ACTING_IN),
    )


def stranger(address: str) -> Actor:
    """Nobody known, at ``address``: for one day the same stranger, and then another.

    The trail is kept for ever, so it gets neither the address nor a name that lasts.
    """
    network = _network_of(address)
    if network is None:
        return anonymous()
    return anonymous(keyed_hash("stranger", f"{_today()} {network}")[:16])


def _today() -> date:
    # The process's own clock: nothing depends on when exactly a stranger becomes another.
    return datetime.now(UTC).date()


def _network_of(address: str) -> IPv4Address | IPv6Network | None:
    """What one household or machine has: a whole IPv4 address, 64 bits of an IPv6 address."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return None
    if isinstance(found, IPv4Address):
        return found
    return found.ipv4_mapped or IPv6Network((found, 64), strict=False)


def actor_for(
    person: Person, *, mfa: bool, mfa_is_fresh: bool = False, acting_in: str | None = None
) -> Actor:
    """``person`` acting in ``acting_in``, or in their first organisation."""
    memberships = list(Membership.objects.filter(person=person).order_by("created_at", "pk"))
    organisation_ids = [membership.organisation_id for membership in memberships]
    chosen = _chosen(acting_in, organisation_ids)
    here = [m for m in memberships if m.organisation_id == chosen]
    return Actor(
        kind=ActorKind.PERSON,
        id=person.pk,
        organisation_id=chosen,
        offices=frozenset(Office(Role(m.role), m.department_id) for m in here),
        assurance=Assurance(mfa=mfa, mfa_is_fresh=mfa and mfa_is_fresh),
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


def _has_just_typed_a_code(request: HttpRequest, person: Person) -> bool:
    """Of their authenticator: a recovery code is a sheet of paper, which anybody may have found."""
    now = time.time()
    return any(
        record.get("method") == "mfa"
        and record.get("type") == Authenticator.Type.TOTP
        and 0 <= now - record.get("at", 0) < FRESH_SECONDS
        for record in get_authentication_records(request, person)
    )
