"""The doors of library views: listed by the route's name, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.urls import resolve

from access.doors import Public
from access.verbs import Verb
from consilium.routes import LIBRARY_ROUTES, NOT_SERVED, door_of_route, library_door


def test_a_request_that_resolved_to_nothing_has_no_door():
    assert library_door(SimpleNamespace(resolver_match=None)) is None


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/accounts/2fa/", Verb.ACCOUNT_MANAGE),
        ("/accounts/password/change/", Verb.ACCOUNT_MANAGE),
        ("/accounts/signup/", None),
        ("/accounts/login/code/confirm/", None),
        ("/accounts/password/reset/", None),
    ],
)
def test_a_library_route_has_the_door_of_its_name(path, door):
    assert door_of_route(resolve(path)) == door


def test_the_desk_asks_for_itself():
    found = door_of_route(resolve("/admin/"))
    assert isinstance(found, Public)


def test_a_route_of_another_space_does_not_borrow_a_name():
    """``account_login`` inside some namespace is somebody else's view."""
    for spaces in (["other"], ["admin", "inner"]):
        match = SimpleNamespace(namespaces=spaces, view_name=":".join([*spaces, "account_login"]))
        assert door_of_route(match) is None


def test_what_changes_an_account_is_never_public():
    public = {name for name, door in LIBRARY_ROUTES.items() if isinstance(door, Public)}
    assert public == {
        "account_inactive",
        "account_login",
        "account_logout",
        "javascript-catalog",
        "mfa_authenticate",
        "set_language",
    }


def test_every_route_that_is_not_served_says_why():
    assert all(len(reason) > 5 for reason in NOT_SERVED.values())
