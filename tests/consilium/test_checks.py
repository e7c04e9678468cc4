"""The system checks: registered, and clean."""

from __future__ import annotations

from django.core.checks import run_checks
from django.core.checks.registry import registry


def test_the_system_check_is_clean():
    assert run_checks() == []


def test_the_checks_are_registered():
    names = {check.__name__ for check in registry.get_checks(include_deployment_checks=True)}
    assert "policy_names_what_exists" in names
