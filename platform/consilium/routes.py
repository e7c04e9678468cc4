"""The doors of library views, which can't be marked where they stand.

A route that is not here and has no mark of its own is not served.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import ResolverMatch

from access.doors import Door, Public
from access.verbs import Verb

_SIGN_IN = Public("signing in and out comes before anybody is known")
_OWN_ACCOUNT = Verb.ACCOUNT_MANAGE

#: By the route's name, with its namespace.
LIBRARY_ROUTES: dict[str, Door] = {
    "account_inactive": _SIGN_IN,
    "account_login": _SIGN_IN,
    "account_logout": _SIGN_IN,
    "account_reauthenticate": _OWN_ACCOUNT,
    "account_change_password": _OWN_ACCOUNT,
    "javascript-catalog": Public("translations of the pages' words"),
    "mfa_activate_totp": _OWN_ACCOUNT,
    "mfa_authenticate": _SIGN_IN,
    "mfa_deactivate_totp": _OWN_ACCOUNT,
    "mfa_download_recovery_codes": _OWN_ACCOUNT,
    "mfa_generate_recovery_codes": _OWN_ACCOUNT,
    "mfa_index": _OWN_ACCOUNT,
    "mfa_reauthenticate": _OWN_ACCOUNT,
    "mfa_view_recovery_codes": _OWN_ACCOUNT,
    "set_language": Public("a language is no secret"),
}

#: allauth's routes that lead nowhere here, and why: they are not served.
NOT_SERVED: dict[str, str] = {
    "account_confirm_login_code": "nobody signs in by a mailed code",
    "account_signup": "staff are invited, patients need no account",
    "account_set_password": "every account has a password from the start",
    "account_email": "an address is the sign-in name and sealed; it is changed by an administrator",
    "account_email_verification_sent": "as above",
    "account_confirm_email": "as above",
    "account_reset_password": "an administrator resets it until mail is proven",
    "account_reset_password_done": "as above",
    "account_reset_password_from_key": "as above",
    "account_reset_password_from_key_done": "as above",
}


def library_door(request: HttpRequest) -> Door | None:
    """The door of the route that ``request`` resolved to."""
    match = request.resolver_match
    return door_of_route(match) if match is not None else None


def door_of_route(match: ResolverMatch) -> Door | None:
    if match.namespaces == ["admin"]:
        # The AdminSite asks the gate itself: ADMIN_OPEN for the site, each page its own verb.
        return Public("the AdminSite asks the gate for every page")
    return LIBRARY_ROUTES.get(match.view_name)
