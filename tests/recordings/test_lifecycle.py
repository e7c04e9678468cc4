"""Every state and every verb of a recording."""

from __future__ import annotations

from itertools import product

import pytest

from meetings.lifecycle import IllegalTransition, next_state
from recordings.lifecycle import ACTIVE, RECORDING, TAKES_SEGMENTS, RecordingState

VERBS = sorted({verb for _, verb in RECORDING})


@pytest.mark.parametrize(("state", "verb"), list(product(RecordingState, VERBS)))
def test_what_is_not_in_the_table_does_not_happen(state, verb):
    if (state, verb) in RECORDING:
        assert next_state(RECORDING, state, verb) == RECORDING[state, verb]
    else:
        with pytest.raises(IllegalTransition):
            next_state(RECORDING, state, verb)


def reachable(begin: RecordingState) -> set[RecordingState]:
    found, open_ends = {begin}, [begin]
    while open_ends:
        state = open_ends.pop()
        new = {to for (came_from, _), to in RECORDING.items() if came_from == state} - found
        found |= new
        open_ends += new
    return found


def test_every_state_is_reached_from_the_question():
    assert reachable(RecordingState.ASKED) == set(RecordingState)


def test_nothing_comes_back_from_shredding():
    assert reachable(RecordingState.SHREDDED) == {RecordingState.SHREDDED, RecordingState.REMOVED}


def test_nothing_is_stored_that_was_not_sealed():
    before = {came_from for (came_from, _), to in RECORDING.items() if to is RecordingState.STORED}
    assert before == {RecordingState.SEALING}


def test_no_segment_is_taken_before_the_last_one_agreed_or_after_gathering():
    assert RecordingState.ASKED in ACTIVE - TAKES_SEGMENTS
    assert reachable(RecordingState.SEALING).isdisjoint(TAKES_SEGMENTS)
