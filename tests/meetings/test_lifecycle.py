"""Every (state, verb) pair of every life, walked."""

from __future__ import annotations

import itertools

import pytest

from meetings.lifecycle import (
    INVITATION,
    MEETING,
    PLACE,
    SEAT,
    IllegalTransition,
    InvitationState,
    MeetingState,
    PlaceState,
    SeatState,
    next_state,
)

LIVES = {
    "meeting": (MEETING, MeetingState, {"open", "end"}),
    "invitation": (INVITATION, InvitationState, {"redeem", "revoke"}),
    "place": (
        PLACE,
        PlaceState,
        {"verify", "wait", "admit", "decline", "revoke", "join", "leave", "remove"},
    ),
    "seat": (SEAT, SeatState, {"verify", "end"}),
}

#: States that nothing leads out of.
ENDS = {
    "meeting": {MeetingState.OVER},
    "invitation": {InvitationState.REVOKED, InvitationState.EXPIRED, InvitationState.SPENT},
    "place": {PlaceState.DECLINED, PlaceState.REMOVED},
    "seat": set(),
}


@pytest.mark.parametrize("life", LIVES)
def test_what_is_in_the_table_happens_and_nothing_else(life):
    table, states, verbs = LIVES[life]
    assert {verb for _, verb in table} == verbs
    for state, verb in itertools.product(states, [*verbs, "invented", ""]):
        if (state, verb) in table:
            assert next_state(table, state, verb) is table[state, verb]
            assert next_state(table, state.value, verb) is table[state, verb]
        else:
            with pytest.raises(IllegalTransition):
                next_state(table, state, verb)


@pytest.mark.parametrize("life", LIVES)
def test_an_unknown_state_leads_nowhere(life):
    table, _, verbs = LIVES[life]
    for verb in verbs:
        with pytest.raises(IllegalTransition):
            next_state(table, "invented", verb)


@pytest.mark.parametrize("life", LIVES)
def test_an_end_is_an_end(life):
    table, states, _ = LIVES[life]
    assert {s for s in states if not any(start is s for start, _ in table)} == ENDS[life]


@pytest.mark.parametrize("life", ["meeting", "place", "seat"])
def test_every_state_can_be_reached(life):
    table, states, _ = LIVES[life]
    first = next(iter(states))
    reached, grew = {first}, True
    while grew:
        more = {to for (state, _), to in table.items() if state in reached} - reached
        grew, reached = bool(more), reached | more
    assert reached == set(states)


def test_nobody_joins_who_was_not_admitted_first():
    into_the_call = {state for (state, _), to in PLACE.items() if to is PlaceState.ADMITTED}
    assert into_the_call == {PlaceState.WAITING, PlaceState.ADMITTED, PlaceState.LEFT}
    assert PLACE[PlaceState.WAITING, "admit"] is PlaceState.ADMITTED
    for verb in ("verify", "wait", "join"):
        assert PLACE.get((PlaceState.WAITING, verb)) is not PlaceState.ADMITTED
