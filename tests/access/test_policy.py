"""The table, read cell by cell: granted exactly where it says so."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import policy
from access.facts import Facts, Installation, base_roles, belongs
from access.policy import POLICY, Assured, Granted, Refused, decide
from access.verbs import Verb
from consilium.checks import KNOWN_ROLES, KNOWN_STATES
from foundation.actor import Actor, ActorKind, Assurance, Office, Role, anonymous, service
from foundation.errors import PROBLEMS

STATES = sorted(KNOWN_STATES | {"", "over", "nonsense"})
ASSURANCES = {
    Assured.NOTHING: Assurance(),
    Assured.VERIFIED: Assurance(verified_by=("mailbox",)),
    Assured.MFA: Assurance(mfa=True),
    Assured.FRESH: Assurance(mfa=True, mfa_is_fresh=True),
}
PERSON = Actor(ActorKind.PERSON)

#: Who must never hold a verb, whatever the table says by mistake.
NEVER = {
    "anonymous": {verb for verb in Verb if verb not in {Verb.INVITATION_REDEEM, Verb.WORKER_ENROL}},
    "guest": {verb for verb in Verb if verb is not Verb.INVITATION_REDEEM},
    "worker": {verb for verb in Verb if verb not in {Verb.WORKER_LINK, Verb.SEGMENT_SHIP}},
    "patient": set(Verb),
    "it_administrator": {Verb.TRAIL_SHOW, Verb.MEETING_VIEW, Verb.MEETINGS_SHOW, Verb.ROOM_JOIN},
    "compliance_officer": {Verb.ROOM_JOIN, Verb.ROOM_OPEN, Verb.GUEST_ADMIT, Verb.MEETING_END},
    "coordinator": {Verb.ROOM_JOIN, Verb.GUEST_ADMIT, Verb.TRAIL_SHOW, Verb.PARTICIPANT_REMOVE},
}


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_is_granted_exactly_when_its_rule_says_so(verb):
    rule = POLICY[verb]
    for role, state, level in itertools.product([*KNOWN_ROLES, None], STATES, Assured):
        facts = Facts(
            same_organisation=True,
            roles=frozenset({role} if role else ()),
            state=state,
            assurance=ASSURANCES[level],
        )
        enough = {
            Assured.NOTHING: True,
            Assured.VERIFIED: level is not Assured.NOTHING,
            Assured.MFA: level in (Assured.MFA, Assured.FRESH),
            Assured.FRESH: level is Assured.FRESH,
        }[rule.assured]
        expected = role in rule.roles and enough and (not rule.states or state in rule.states)
        decision = decide(PERSON, verb, facts)
        assert isinstance(decision, Granted) == expected, (role, state, level)


@pytest.mark.parametrize("verb", Verb)
def test_a_stranger_is_told_that_there_is_nothing(verb):
    facts = Facts(
        same_organisation=False,
        roles=frozenset(KNOWN_ROLES),
        state=next(iter(POLICY[verb].states), ""),
        assurance=Assurance(mfa=True, verified_by=("mailbox",)),
    )
    assert decide(PERSON, verb, facts) == Refused("not_found")


def test_an_unlisted_verb_is_refused(monkeypatch):
    everything = Facts(same_organisation=True, roles=frozenset(KNOWN_ROLES))
    monkeypatch.delitem(POLICY, Verb.OUTBOX_SWEEP)
    assert decide(service("sweeper"), Verb.OUTBOX_SWEEP, everything) == Refused("not_permitted")
    assert decide(PERSON, "made:up:verb", everything) == Refused("not_permitted")


def test_who_is_not_signed_in_is_asked_to_sign_in():
    facts = Installation().facts_for(anonymous())
    assert decide(anonymous(), Verb.DESK_OPEN, facts) == Refused("sign_in_required")
    assert decide(PERSON, Verb.DESK_OPEN, facts) == Refused("not_permitted")


def test_a_password_alone_is_not_enough_for_staff():
    actor = Actor(ActorKind.PERSON, offices=frozenset({Office(Role.CLINICIAN)}))
    facts = Installation().facts_for(actor)
    assert decide(actor, Verb.DESK_OPEN, facts) == Refused("second_factor_required")


def test_a_second_factor_of_this_morning_opens_no_recording():
    actor = Actor(ActorKind.PERSON, offices=frozenset({Office(Role.COMPLIANCE_OFFICER)}))
    for assurance, decision in (
        (Assurance(mfa=True), Refused("second_factor_stale")),
        (Assurance(), Refused("second_factor_required")),
        (Assurance(mfa_is_fresh=True), Refused("second_factor_required")),
        (Assurance(mfa=True, mfa_is_fresh=True), Granted()),
    ):
        facts = Facts(True, frozenset({"compliance_officer"}), "stored", assurance)
        assert decide(actor, Verb.RECORDING_INSPECT, facts) == decision


def test_a_device_that_is_kept_out_opens_nothing_that_asks_for_a_second_factor():
    known = Assurance(mfa=True, mfa_is_fresh=True, device_refused="not_permitted")
    facts = Facts(True, frozenset({"clinician", "compliance_officer"}), "stored", known)
    for verb in (Verb.DESK_OPEN, Verb.RECORDING_INSPECT):
        assert decide(PERSON, verb, facts) == Refused("not_permitted")


def test_a_token_stands_for_a_second_factor_but_never_for_a_fresh_one():
    facts = Facts(True, frozenset(KNOWN_ROLES), "stored", Assurance(by_token=True))
    assert decide(PERSON, Verb.DESK_OPEN, facts) == Granted()
    assert decide(PERSON, Verb.RECORDING_INSPECT, facts) == Refused("not_permitted")


@pytest.mark.parametrize(
    ("state", "verb", "reason"),
    [
        ("over", Verb.GUEST_ADMIT, "meeting_closed"),
        ("over", Verb.ROOM_JOIN, "meeting_closed"),
        ("removed", Verb.ROOM_JOIN, "removed"),
        ("declined", Verb.ROOM_WAIT, "not_admitted"),
        ("revoked", Verb.INVITATION_REDEEM, "invitation_revoked"),
        ("expired", Verb.INVITATION_REDEEM, "invitation_expired"),
        ("spent", Verb.INVITATION_REDEEM, "invitation_used"),
        ("waiting", Verb.ROOM_JOIN, "not_admitted"),
        ("invited", Verb.ROOM_WAIT, "not_verified"),
        ("admitted", Verb.GUEST_ADMIT, "wrong_state"),
    ],
)
def test_a_wrong_state_tells_its_own_story(state, verb, reason):
    facts = Facts(
        same_organisation=True,
        roles=POLICY[verb].roles,
        state=state,
        assurance=Assurance(mfa=True),
    )
    assert decide(PERSON, verb, facts) == Refused(reason)


@pytest.mark.parametrize("role", NEVER)
def test_what_a_role_alone_must_never_open(role):
    for verb in NEVER[role]:
        for state in POLICY[verb].states or {""}:
            facts = Facts(
                same_organisation=True,
                roles=frozenset({role}),
                state=state,
                assurance=Assurance(mfa=True, verified_by=("mailbox",)),
            )
            assert isinstance(decide(PERSON, verb, facts), Refused), verb


@given(
    verb=st.sampled_from(Verb),
    roles=st.frozensets(st.sampled_from(sorted(KNOWN_ROLES))),
    state=st.sampled_from(STATES),
    mfa=st.booleans(),
    proofs=st.lists(st.sampled_from(["mailbox", "sign-in"]), max_size=2),
    same=st.booleans(),
)
def test_a_decision_is_pure_and_always_has_a_registered_reason(
    verb, roles, state, mfa, proofs, same
):
    facts = Facts(same, roles, state, Assurance(mfa, tuple(proofs)))
    table = dict(POLICY)
    first, again = decide(PERSON, verb, facts), decide(PERSON, verb, facts)
    assert first == again
    assert table == POLICY
    if isinstance(first, Refused):
        assert first.reason in PROBLEMS


@given(
    verb=st.sampled_from(Verb),
    roles=st.frozensets(st.sampled_from(sorted(KNOWN_ROLES))),
    more=st.frozensets(st.sampled_from(sorted(KNOWN_ROLES))),
    state=st.sampled_from(STATES),
)
def test_a_further_role_never_takes_a_right_away(verb, roles, more, state):
    assurance = Assurance(mfa=True, mfa_is_fresh=True)
    if isinstance(decide(PERSON, verb, Facts(True, roles, state, assurance)), Granted):
        wider = Facts(True, roles | more, state, assurance)
        assert isinstance(decide(PERSON, verb, wider), Granted)


def test_every_rule_names_somebody_but_the_one_for_what_was_refused_before_any_verb():
    assert [verb for verb, rule in POLICY.items() if not rule.roles] == [Verb.DOOR_KNOCK]


def test_only_what_must_come_before_knowing_anybody_asks_for_no_assurance():
    open_to_unproven = {verb for verb, rule in POLICY.items() if rule.assured is Assured.NOTHING}
    assert open_to_unproven == {
        Verb.ACCOUNT_MANAGE,
        Verb.CODE_MINT,
        Verb.CODE_SEND,
        Verb.GUEST_VERIFY,
        Verb.INVITATION_MINT,
        Verb.INVITATION_REDEEM,
        Verb.OUTBOX_SWEEP,
        Verb.RECORDING_ABANDON,
        Verb.RECORDING_BEGIN,
        Verb.RECORDING_END,
        Verb.RECORDING_FALTER,
        Verb.RECORDING_REMOVE,
        Verb.RECORDING_SEAL,
        Verb.RECORDING_SHRED,
        Verb.RECORDING_SPARE,
        Verb.RECORDING_STORE,
        Verb.ROOM_OPEN,
        Verb.SEGMENT_SHIP,
        Verb.WORKER_ENROL,
        Verb.WORKER_INVITE,
        Verb.WORKER_LINK,
        Verb.WORKER_WITHDRAW,
    }


def test_a_service_acts_in_every_organisation_and_a_person_in_their_own(cast):
    assert belongs(service("mailer"), cast.hospital.pk)
    assert belongs(cast.acting(cast.clinician), cast.hospital.pk)
    assert not belongs(cast.acting(cast.stranger), cast.hospital.pk)
    assert not belongs(anonymous(), cast.hospital.pk)


def test_roles_of_an_actor_are_its_kind_and_its_office(cast):
    assert base_roles(cast.acting(cast.officer)) == {"person", "compliance_officer"}
    assert base_roles(anonymous()) == {"anonymous"}


def test_the_table_refuses_no_role_for_ever(monkeypatch):
    """The start-up check knows every word; a misspelt one is found."""
    from consilium.checks import policy_names_what_exists

    assert policy_names_what_exists() == []
    monkeypatch.setitem(POLICY, Verb.DESK_OPEN, policy._rule("clinican", "opne"))
    (error,) = policy_names_what_exists()
    assert error.id == "access.E001"
    assert "clinican" in error.msg
    assert "opne" in error.msg
