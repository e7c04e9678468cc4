"""A production start on embedded parts is refused, and says by which variable each is replaced."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from consilium.checks import embedded_parts_in_production

REAL = {
    "database_url": "postgresql://x",
    "redis_url": "redis://x",
    "smtp_url": "smtp://x",
    "secret_key": "k" * 50,
    "turn_urls": ("turns:x",),
}
VARIABLES = {
    "database_url": "DATABASE_URL",
    "redis_url": "REDIS_URL",
    "smtp_url": "SMTP_URL",
    "secret_key": "CONSILIUM_SECRET_KEY",
    "turn_urls": "TURN_URLS",
}


def errors(**parts: object) -> list[str]:
    environment = SimpleNamespace(**{**REAL, **parts})
    with override_settings(PRODUCTION=True, ENVIRONMENT=environment):
        return [error.msg for error in embedded_parts_in_production()]


def test_real_parts_pass():
    assert errors() == []


@pytest.mark.parametrize("part", REAL)
def test_each_embedded_part_is_named_by_its_variable(part):
    (message,) = errors(**{part: None})
    assert VARIABLES[part] in message


def test_all_that_is_missing_is_said_at_once():
    assert len(errors(**dict.fromkeys(REAL))) == len(REAL)


def test_outside_production_embedded_parts_are_fine():
    with override_settings(PRODUCTION=False):
        assert embedded_parts_in_production() == []


def test_the_system_check_is_clean():
    assert run_checks() == []


def test_the_checks_are_registered():
    from django.core.checks.registry import registry

    names = {check.__name__ for check in registry.get_checks(include_deployment_checks=True)}
    assert {"policy_names_what_exists", "embedded_parts_in_production"} <= names
