"""Checks at start: settings that would fail later, silently or in front of a patient."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags
from django.core.checks import register as register_check

from access.policy import POLICY
from foundation.actor import ActorKind, Role
from meetings.lifecycle import InvitationState, MeetingState, PlaceState, SeatState
from recordings.lifecycle import RecordingState, ViewingState

#: Every word the policy table may use.
KNOWN_ROLES = (
    {role.value for role in Role}
    | {kind.value for kind in ActorKind}
    | {"clinician_who_hosted", "host", "keeper", "occupant", "seat", "viewer"}
)
KNOWN_STATES = {
    state.value
    for states in (
        MeetingState,
        InvitationState,
        PlaceState,
        RecordingState,
        SeatState,
        ViewingState,
    )
    for state in states
} | {"enrolled", "issued"}


def register() -> None:
    register_check(policy_names_what_exists, Tags.security)
    register_check(embedded_parts_in_production, Tags.security, deploy=True)


def policy_names_what_exists(**kwargs: Any) -> list[CheckMessage]:
    """A misspelt role or state would refuse for ever, silently."""
    found: list[CheckMessage] = []
    for verb, rule in POLICY.items():
        unknown = (rule.roles - KNOWN_ROLES) | (rule.states - KNOWN_STATES)
        if unknown:
            words = ", ".join(sorted(unknown))
            found.append(
                Error(
                    f"the rule for {verb.value} names {words}, which nothing is", id="access.E001"
                )
            )
    return found


def embedded_parts_in_production(**kwargs: Any) -> list[CheckMessage]:
    """Production needs the real parts, each set by one variable."""
    if not settings.PRODUCTION:
        return []
    environment = settings.ENVIRONMENT
    needed = {
        "DATABASE_URL": environment.database_url,
        "REDIS_URL": environment.redis_url,
        "SMTP_URL": environment.smtp_url,
        "CONSILIUM_SECRET_KEY": environment.secret_key,
        "TURN_URLS": environment.turn_urls,
    }
    missing: list[CheckMessage] = [
        Error(f"{name} must be set in production", id="consilium.E001")
        for name, value in needed.items()
        if not value
    ]
    if settings.DEMO:
        missing.append(Error("CONSILIUM_DEMO has no place in production", id="consilium.E002"))
    return missing
