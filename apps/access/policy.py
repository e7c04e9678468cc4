"""The one table of authority, and the one pure function that reads it.

A verb that is not listed is refused. A rule names who (any one role suffices), in which states
(none named: any), and how surely the actor must be known. Roles and states are plain values:
organisation roles (``foundation.actor.Role``), scopes of a hospital's system (``Scope``), the roles
of a meeting (host, participant, guest), of a recording (keeper, clinician_who_hosted, viewer)
and kinds of actor (anonymous, service, worker); start-up checks that every value exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from access.facts import Facts
from access.verbs import Verb
from foundation.actor import Actor, Assurance


class Assured(StrEnum):
    """The least assurance a rule asks for."""

    NOTHING = "nothing"
    VERIFIED = "verified"  # a guest whose contact was proven, or a signed-in person with MFA
    MFA = "mfa"
    FRESH = "fresh"  # and it was used within the last minutes


@dataclass(frozen=True, slots=True)
class Rule:
    roles: frozenset[str]
    states: frozenset[str] = frozenset()
    assured: Assured = Assured.MFA
    wrong_state: str = "wrong_state"
    consent: bool = False  # only with the agreement that what goes on asks for


@dataclass(frozen=True, slots=True)
class Granted:
    pass


@dataclass(frozen=True, slots=True)
class Refused:
    """``reason`` is a code of ``foundation.errors``."""

    reason: str


Decision = Granted | Refused


def _rule(
    roles: str,
    states: str = "",
    assured: Assured = Assured.MFA,
    wrong_state: str = "wrong_state",
    *,
    consent: bool = False,
) -> Rule:
    return Rule(frozenset(roles.split()), frozenset(states.split()), assured, wrong_state, consent)


_ANY, _KNOWN, _FRESH = Assured.NOTHING, Assured.VERIFIED, Assured.FRESH

POLICY: dict[Verb, Rule] = {
    # verb                       roles (one suffices)               states            assurance
    Verb.ACCOUNT_MANAGE: _rule("person", "", _ANY),
    Verb.ADMIN_OPEN: _rule("compliance_officer it_administrator"),
    Verb.CODE_MINT: _rule("service", "pending ended", _ANY),
    Verb.CODE_SEND: _rule("seat", "pending ended", _ANY),
    # On one's own screen, in the call or on the way into it.
    # Who left is asked at the door before they come back.
    Verb.CONSENT_GIVE: _rule("occupant", "waiting admitted left", _KNOWN, "not_admitted"),
    Verb.CONSENT_REFUSE: _rule("occupant", "waiting admitted left", _KNOWN, "not_admitted"),
    Verb.CONSENT_WITHDRAW: _rule("occupant", "waiting admitted left", _KNOWN, "not_admitted"),
    Verb.DESK_OPEN: _rule("clinician coordinator"),
    # Nobody holds it: it names on the trail what was refused before any verb was known.
    Verb.DOOR_KNOCK: _rule(""),
    Verb.GUEST_ADMIT: _rule("host", "waiting"),
    Verb.GUEST_DECLINE: _rule("host", "waiting"),
    Verb.GUEST_INVITE: _rule("host", "planned open", wrong_state="meeting_closed"),
    Verb.GUEST_VERIFY: _rule("seat", "pending ended", _ANY),
    Verb.HOST_SIT: _rule("host", "planned open", wrong_state="meeting_closed"),
    Verb.INVITATION_MINT: _rule("service", "invited verified waiting admitted left", _ANY),
    Verb.INVITATION_REDEEM: _rule("anonymous guest person", "issued redeemed", _ANY),
    Verb.INVITATION_RENEW: _rule("host", "invited verified waiting admitted left"),
    Verb.INVITATION_REVOKE: _rule("host", "invited verified waiting admitted left"),
    Verb.MEDIA_CONNECT: _rule("occupant", "admitted", _KNOWN, "not_admitted"),
    Verb.MEDIA_PUBLISH: _rule("occupant", "admitted", _KNOWN, "not_admitted"),
    Verb.MEETING_CREATE: _rule("clinician coordinator"),
    Verb.MEETING_END: _rule("host", "planned open", wrong_state="meeting_closed"),
    Verb.MEETING_VIEW: _rule("host compliance_officer coordinator"),
    Verb.MEETINGS_SHOW: _rule("compliance_officer"),
    Verb.OUTBOX_SWEEP: _rule("service", "", _ANY),
    Verb.PARTICIPANT_REMOVE: _rule("host", "admitted left"),
    Verb.PEOPLE_SHOW: _rule("compliance_officer it_administrator"),
    Verb.POLICY_WRITE: _rule("compliance_officer"),
    # By itself: when the last one agreed, somebody did not, the keeper left, the meeting ended.
    Verb.RECORDING_ABANDON: _rule("service", "abandoned", _ANY),
    Verb.RECORDING_ASK: _rule("host", "open"),
    Verb.RECORDING_BEGIN: _rule("service", "recording", _ANY),
    Verb.RECORDING_END: _rule("service", "gathering", _ANY),
    Verb.RECORDING_FALTER: _rule("service", "recording paused gathering sealing stored", _ANY),
    Verb.RECORDING_HAND_OVER: _rule("keeper", "recording paused"),
    Verb.RECORDING_HOLD: _rule("compliance_officer", "gathering sealing stored"),
    # Looking at what is stored: for a reason, and by who is at the keyboard now.
    Verb.RECORDING_INSPECT: _rule("compliance_officer", "stored", _FRESH),
    Verb.RECORDING_PAUSE: _rule("keeper", "recording"),
    # The recording's policy has to allow it, too: see recordings.actions.watch.
    Verb.RECORDING_PLAY: _rule("clinician_who_hosted", "stored"),
    Verb.RECORDING_RELEASE: _rule("compliance_officer"),
    Verb.RECORDING_REMOVE: _rule("service", "shredded", _ANY),
    Verb.RECORDING_RESUME: _rule("keeper", "paused"),
    Verb.RECORDING_SHRED: _rule("service", "stored", _ANY),
    Verb.RECORDING_SEAL: _rule("service", "gathering sealing", _ANY),
    Verb.RECORDING_STORE: _rule("service", "sealing", _ANY),
    Verb.RECORDING_SPARE: _rule("service", "recording paused", _ANY),
    Verb.RECORDING_STOP: _rule("keeper host", "recording paused"),
    Verb.RECORDING_TAKE_BACK: _rule("keeper host", "asked"),
    Verb.RECORDING_VIEW: _rule("clinician_who_hosted compliance_officer"),
    Verb.RECORDINGS_SHOW: _rule("compliance_officer"),
    Verb.ROOM_JOIN: _rule("occupant host", "admitted left", _KNOWN, "not_admitted", consent=True),
    Verb.ROOM_LEAVE: _rule("occupant", "verified waiting admitted left", _KNOWN),
    Verb.ROOM_OPEN: _rule("occupant seat host", "", _ANY),
    Verb.ROOM_WAIT: _rule("occupant", "verified waiting admitted left", _KNOWN, "not_verified"),
    Verb.SEGMENT_SHIP: _rule(
        "worker", "recording paused gathering", _ANY, wrong_state="recording_unknown"
    ),
    Verb.TRAIL_SHOW: _rule("compliance_officer"),
    # Their own viewing, on the screen where it was opened.
    Verb.VIEWING_READ: _rule("viewer", "open", wrong_state="viewing_over"),
    Verb.WORKER_ENROL: _rule("anonymous", "issued", _ANY),
    Verb.WORKER_INVITE: _rule("service it_administrator", "", _ANY),
    Verb.WORKER_LINK: _rule("worker", "enrolled", _ANY),
    Verb.WORKER_WITHDRAW: _rule("service it_administrator", "enrolled", _ANY),
    Verb.WORKERS_SHOW: _rule("compliance_officer it_administrator"),
}


def decide(actor: Actor, verb: Verb, facts: Facts) -> Decision:
    """Whether ``actor`` may ``verb``, and if not, why. Pure: the same in, the same out."""
    rule = POLICY.get(verb)
    if rule is None:
        return Refused("not_permitted")
    if not facts.same_organisation:
        return Refused("not_found")
    if not rule.roles & facts.roles:
        return Refused(_refusal_without_role(actor))
    unsure = _why_too_unsure(rule.assured, facts.assurance)
    if unsure:
        return Refused(unsure)
    if rule.states and facts.state not in rule.states:
        return Refused(_STATE_REASONS.get(facts.state, rule.wrong_state))
    if rule.consent and facts.consent_owed:
        return Refused("consent_required")
    return Granted()


def _why_too_unsure(asked: Assured, known: Assurance) -> str:
    """The reason for which the actor is not known surely enough; empty when they are."""
    if asked is Assured.VERIFIED and not (known.mfa or known.verified_by):
        return "not_verified"
    if asked in (Assured.MFA, Assured.FRESH):
        if known.by_token:
            # No second factor, and none is asked of a machine; but nobody sits at its keyboard.
            return "not_permitted" if asked is Assured.FRESH else ""
        if not known.mfa:
            return "second_factor_required"
        if known.device_refused:
            return known.device_refused
        if asked is Assured.FRESH and not known.mfa_is_fresh:
            return "second_factor_stale"
    return ""


#: States that tell their own story better than "wrong state".
_STATE_REASONS = {
    "declined": "not_admitted",
    "expired": "invitation_expired",
    "removed": "removed",
    "revoked": "invitation_revoked",
    "spent": "invitation_used",
    "over": "meeting_closed",
}


def _refusal_without_role(actor: Actor) -> str:
    return "sign_in_required" if actor.kind == "anonymous" else "not_permitted"
