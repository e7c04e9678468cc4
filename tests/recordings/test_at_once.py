"""Answers that are given at the same moment, each over a connection of its own.

On a database that locks rows; one that locks itself as a whole lets one in at a time anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from foundation.errors import ConsiliumError
from meetings import consents
from meetings.actions import consent
from meetings.actions.host import end_meeting
from meetings.lifecycle import MeetingState
from recordings.actions import ask
from recordings.lifecycle import RecordingState
from recordings.models import Recording
from tests.cast import assemble
from tests.meetings.visit import acting_through
from tests.recordings import calls


@pytest.fixture
def own_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A copy of the tests' database: what is committed to it goes with it, the trail too."""
    with django_db_blocker.unblock():
        tests_own = connection.settings_dict["NAME"]
        leave_database()
        connection.creation.clone_test_db("at_once", verbosity=0, autoclobber=True)
        copy = connection.creation.get_test_db_clone_settings("at_once")["NAME"]
        connection.settings_dict["NAME"] = copy
        try:
            yield
        finally:
            leave_database()
            connection.settings_dict["NAME"] = tests_own
            connection.creation.destroy_test_db(suffix="at_once", verbosity=0)


def leave_database() -> None:
    """Nobody may be in a database that is copied or dropped, nor wait in a pool of it."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()


@pytest.fixture
def committed(own_database: None, own_storage: None) -> calls.Call:
    """The same call as elsewhere, for everybody to see."""
    return calls.begun(assemble())


def meet_before(place: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes to ``place.name`` waits there a moment for the other one."""
    together, reached = threading.Barrier(2), getattr(place, name)

    def wait(*given: object, **named: object) -> object:
        try:
            together.wait(1)
        except threading.BrokenBarrierError:
            pass  # the other one is kept waiting elsewhere, which is what is wanted
        return reached(*given, **named)

    monkeypatch.setattr(place, name, wait)


def at_once(*acts: Callable[[], None]) -> None:
    def one(act: Callable[[], None]) -> None:
        try:
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        list(threads.map(one, acts))


def test_one_after_the_other_they_begin_it(call: calls.Call):
    """As it is without any haste; what follows must come to the same."""
    recording = call.ask()
    call.agree(call.host)
    assert calls.state_of(recording.pk) == RecordingState.ASKED
    call.agree(call.guest)
    assert calls.state_of(recording.pk) == RecordingState.RECORDING


def test_two_who_agree_at_once_begin_it_once(committed: calls.Call, monkeypatch):
    recording = committed.ask()
    meet_before(ask, "begin_if_agreed", monkeypatch)
    at_once(lambda: committed.agree(committed.host), lambda: committed.agree(committed.guest))
    assert calls.state_of(recording.pk) == RecordingState.RECORDING
    [order] = [order for order in committed.orders() if order["type"] == "worker.record"]
    assert sorted(order["places"]) == committed.place_ids(committed.host, committed.guest)


def test_nobody_is_recorded_who_changes_their_mind_as_the_last_one_agrees(
    committed: calls.Call, monkeypatch
):
    """The one who withdraws has found that it did not begin yet, and then it begins."""
    recording = committed.ask()
    committed.agree(committed.guest)
    host, guest = committed.host, committed.guest.participation_id
    has_looked, has_begun, move = threading.Event(), threading.Event(), ask.move

    def moves(which: Recording, verb: str, **changes: object) -> bool:
        if verb == "abandon":
            has_looked.set()
            has_begun.wait(1)
        return move(which, verb, **changes)

    def agrees() -> None:
        has_looked.wait(1)
        with suppress(ConsiliumError):  # kept waiting until nothing is asked any more
            consent.give(acting_through(host), host.participation_id, recording.text_id)
        has_begun.set()

    monkeypatch.setattr(ask, "move", moves)
    at_once(agrees, lambda: consent.withdraw(acting_through(committed.guest), guest))
    committed.meeting.refresh_from_db()
    if calls.state_of(recording.pk) == RecordingState.RECORDING:
        assert guest not in consents.agreed(committed.meeting)
        assert committed.orders()[-1]["type"] == "worker.withdraw"
    else:
        assert Recording.objects.get().end_reason == "refused"
        assert committed.orders() == []


def test_a_meeting_ends_while_somebody_answers(committed: calls.Call, monkeypatch):
    """Each waits for the other at most; neither is undone by a deadlock."""
    recording = committed.ask()
    committed.agree(committed.host)
    is_answering, ends, begin = threading.Event(), threading.Event(), ask.begin_if_agreed

    def begins(which: Recording) -> None:
        is_answering.set()
        ends.wait(1)  # has locked what it can meanwhile
        begin(which)

    def end() -> None:
        is_answering.wait(5)
        end_meeting(acting_through(committed.host), committed.meeting.pk)
        ends.set()

    monkeypatch.setattr(ask, "begin_if_agreed", begins)
    at_once(lambda: committed.agree(committed.guest), end)
    committed.meeting.refresh_from_db()
    assert committed.meeting.state == MeetingState.OVER
    assert Recording.objects.get(pk=recording.pk).end_reason == "meeting_ended"
