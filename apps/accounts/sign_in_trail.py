"""Sign-ins, failures and second factors on the trail."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals as mfa
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from accounts.actors import actor_for
from accounts.models import Person
from audit import trail
from foundation.actor import Actor, anonymous

SIGN_IN = "accounts:session:sign_in"
SIGN_OUT = "accounts:session:sign_out"
SECOND_FACTOR_ADDED = "accounts:second_factor:add"
SECOND_FACTOR_REMOVED = "accounts:second_factor:remove"


def _actor(person: Any) -> Actor:
    return actor_for(person, mfa=False) if isinstance(person, Person) else anonymous()


@receiver(user_logged_in)
def signed_in(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    trail.record(_actor(user), SIGN_IN, trail.Outcome.DONE, personal=_address(request))


@receiver(user_logged_out)
def signed_out(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    if user is not None:
        trail.record(_actor(user), SIGN_OUT, trail.Outcome.DONE)


@receiver(user_login_failed)
def sign_in_failed(sender: Any, credentials: Any, request: Any = None, **kwargs: Any) -> None:
    index = str(credentials.get("username") or "")
    person = Person.objects.filter(email_index=index).first()
    # An account is named by its id when there is one; what was typed is not kept.
    actor = _actor(person)
    trail.record(
        anonymous(),
        SIGN_IN,
        trail.Outcome.REFUSED,
        reason="credentials_wrong",
        subject=f"person:{person.pk}" if person else "",
        organisation_id=actor.organisation_id,
        personal=_address(request) if actor.organisation_id else None,
    )


@receiver(mfa.authenticator_added)
def second_factor_added(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    trail.record(_actor(user), SECOND_FACTOR_ADDED, trail.Outcome.DONE)


@receiver(mfa.authenticator_removed)
def second_factor_removed(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    trail.record(_actor(user), SECOND_FACTOR_REMOVED, trail.Outcome.DONE)


def _address(request: Any) -> dict[str, str] | None:
    return {"address": request.META.get("REMOTE_ADDR", "")} if request is not None else None
