"""A second factor is fresh for five minutes, and only a code of an authenticator is one."""

from __future__ import annotations

import time

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client, RequestFactory

from accounts.actors import FRESH_SECONDS, actor_of
from tests.accounts.signing_in import signed_in


def assurance_with(person, *records):
    """How surely ``person`` is known whose sign-in left these records."""
    client = signed_in(Client(), person)
    request = RequestFactory().get("/")
    request.user, request.session = person, client.session
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {**record, "at": time.time() - record.pop("age")} for record in map(dict, records)
    ]
    return actor_of(request).assurance


def code(age_seconds: float, kind: str = "totp", method: str = "mfa") -> dict[str, object]:
    return {"method": method, "type": kind, "age": age_seconds}


@pytest.mark.parametrize(
    ("records", "is_fresh"),
    [
        ([code(0)], True),
        ([code(FRESH_SECONDS - 10)], True),
        ([code(FRESH_SECONDS + 1)], False),
        ([code(-60)], False),
        ([code(0, "recovery_codes")], False),
        ([code(3_600), code(1)], True),
        ([code(3_600), code(0, "", "password")], False),
    ],
)
def test_a_code_is_fresh_for_five_minutes(cast, records, is_fresh):
    found = assurance_with(cast.officer, *records)
    assert found.mfa
    assert found.mfa_is_fresh == is_fresh


def test_a_password_is_no_second_factor_however_fresh(cast):
    found = assurance_with(cast.officer, code(0, "totp", "password"))
    assert not found.mfa
    assert not found.mfa_is_fresh
