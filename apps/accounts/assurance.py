"""Staff need a second factor: until they have used it, only the pages that set it up open."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve

from access.requests import acting
from accounts.models import Person
from foundation.actor import Role

#: Roles that see other people's data.
STAFF = frozenset(Role) - {Role.PATIENT}

#: What a person without a second factor may still open: setting it up, signing out, language.
_OPEN = frozenset(
    {
        "account_logout",
        "account_reauthenticate",
        "javascript-catalog",
        "mfa_activate_totp",
        "mfa_authenticate",
        "mfa_index",
        "mfa_reauthenticate",
        "mfa_view_recovery_codes",
        "promise",
        "set_language",
    }
)


class StaffNeedSecondFactor:
    """Sends staff who signed in with a password alone to the second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        person = request.user
        if (
            isinstance(person, Person)
            and acting(request).roles & STAFF
            and not acting(request).assurance.mfa
            and not _is_open(request.path_info)
        ):
            has_one = is_mfa_enabled(person)
            return redirect("mfa_reauthenticate" if has_one else "mfa_activate_totp")
        return self.get_response(request)


def _is_open(path: str) -> bool:
    try:
        return resolve(path).url_name in _OPEN
    except Resolver404:
        return False
