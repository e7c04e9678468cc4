"""Checks at start: what would fail later, silently or in front of a patient.

What production may not be started with is ``production``'s.
"""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Tags
from django.core.checks import register as register_check

from access.policy import POLICY
from foundation.actor import ActorKind, Role, Scope
from meetings.lifecycle import InvitationState, MeetingState, PlaceState, SeatState
from recordings.lifecycle import RecordingState, ViewingState

#: Every word the policy table may use.
KNOWN_ROLES = (
    {role.value for role in Role}
    | {scope.value for scope in Scope}
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
