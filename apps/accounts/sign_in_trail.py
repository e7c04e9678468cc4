"""Sign-ins, failures, passwords and second factors on the trail.

What changes an account is written in the transaction that changes it: no entry, no change.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from access.floods import floods
from accounts.actors import actor_for, stranger
from accounts.models import Person
from audit import trail
from foundation.actor import Actor, anonymous

SIGN_IN = "accounts:session:sign_in"
SIGN_OUT = "accounts:session:sign_out"
SECOND_FACTOR_ADDED = "accounts:second_factor:add"
SECOND_FACTOR_REMOVED = "accounts:second_factor:remove"
PASSWORD_CHANGED = "accounts:password:change"  # noqa: S105 - a tag


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


@receiver(mfa.authentication_failed)
def second_factor_failed(sender: Any, user: Any, request: Any = None, **kwargs: Any) -> None:
    actor = _actor(user)
    trail.record(
        anonymous(),
        SIGN_IN,
        trail.Outcome.REFUSED,
        reason="second_factor_wrong",
        subject=f"person:{user.pk}",
        organisation_id=actor.organisation_id,
        personal=_address(request) if actor.organisation_id else None,
    )


def throttled(request: Any) -> None:
    """Too many passwords or codes from one address or for one account."""
    floods.refused(stranger(request.META.get("REMOTE_ADDR", "")), SIGN_IN, "too_many_attempts")


def password_changed(user: Any) -> None:
    """Expects the change's transaction."""
    trail.record(_actor(user), PASSWORD_CHANGED, trail.Outcome.DONE)


# Not allauth's own signals: those come after the commit.
@receiver(post_save, sender=Authenticator)
def second_factor_added(instance: Authenticator, created: bool, **kwargs: Any) -> None:
    if created:
        _record_second_factor(instance, SECOND_FACTOR_ADDED)


@receiver(post_delete, sender=Authenticator)
def second_factor_removed(instance: Authenticator, **kwargs: Any) -> None:
    _record_second_factor(instance, SECOND_FACTOR_REMOVED)


def _record_second_factor(factor: Authenticator, tag: str) -> None:
    trail.record(_actor(factor.user), tag, trail.Outcome.DONE, details={"kind": str(factor.type)})


def _address(request: Any) -> dict[str, str] | None:
    return {"address": request.META.get("REMOTE_ADDR", "")} if request is not None else None
