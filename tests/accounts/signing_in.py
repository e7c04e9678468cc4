"""Signing in without a browser: the session that allauth's own pages would have made."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from django.test import Client

from accounts.models import Person

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def signed_in(client: Client, person: Person, *, mfa: bool = True) -> Client:
    """``client`` with a session of ``person``."""
    client.force_login(person, backend=_BACKEND)
    methods: list[dict[str, Any]] = [{"method": "password", "at": time.time()}]
    if mfa:
        methods.append({"method": "mfa", "type": "totp", "at": time.time()})
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = methods
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(person.pk)
    session.save()
    return client
