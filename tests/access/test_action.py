"""One change: all of it and its entry, or nothing and a refusal."""

from __future__ import annotations

import pytest
from django.db import transaction

from access import gate
from access.actions import action
from access.facts import Installation
from access.verbs import Verb
from audit import trail
from audit.models import TrailPersonal, TrailRow
from foundation.actor import service
from foundation.errors import ConsiliumError
from meetings.lifecycle import MeetingState
from meetings.models import Meeting
from outbox.models import OutboxRow
from outbox.publishing import publish
from tests.audit.reading import deeds, refused


@pytest.fixture
def meeting(cast) -> Meeting:
    return cast.meeting()[0]


def the(meeting: Meeting):
    return Meeting.objects.filter(pk=meeting.pk)


def test_the_deed_and_its_entry_come_together(cast, meeting):
    with action(cast.acting(cast.clinician), Verb.MEETING_END, the(meeting)) as act:
        act.move(act.subject, "over")
        act.details |= {"why": "a test"}
        act.personal |= {"name": "Canary"}
        assert not deeds(Verb.MEETING_END)
    (row,) = deeds(Verb.MEETING_END)
    assert row.subject == f"meeting:{meeting.pk}"
    assert row.organisation_id == cast.hospital.pk
    assert '"from":"planned"' in row.body
    assert '"to":"over"' in row.body
    assert "Canary" not in row.body
    assert trail.personal_fields(row) == {"name": "Canary"}
    assert TrailPersonal.objects.get(row_uuid=row.uuid).organisation_id == cast.hospital.pk


def test_a_refusal_undoes_the_change_and_is_written_after_it(cast, meeting):
    owed = OutboxRow.objects.count()
    with refused(Verb.MEETING_END, "meeting_full"):
        with action(cast.acting(cast.clinician), Verb.MEETING_END, the(meeting)) as act:
            act.move(act.subject, "over")
            act.publish("group", {"group": "g", "message": {}})
            raise ConsiliumError("meeting_full")
    assert the(meeting).get().state == MeetingState.PLANNED
    assert OutboxRow.objects.count() == owed


def test_the_gate_is_asked_before_the_block_runs(cast, meeting):
    with refused(Verb.MEETING_END, "not_permitted"):
        with action(cast.acting(cast.colleague), Verb.MEETING_END, the(meeting)):
            pytest.fail("the block ran")


def test_a_row_that_is_not_there_has_the_reason_that_was_named(cast):
    with refused(Verb.MEETING_END, "not_found"):
        with action(cast.acting(cast.clinician), Verb.MEETING_END, Meeting.objects.none()):
            pytest.fail("the block ran")
    with refused(Verb.MEETING_END, "invitation_unknown"):
        with action(
            cast.acting(cast.clinician),
            Verb.MEETING_END,
            Meeting.objects.none(),
            missing="invitation_unknown",
        ):
            pytest.fail("the block ran")


def test_when_the_entry_cannot_be_written_the_deed_does_not_happen(cast, meeting, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("the disk is full")

    owed = OutboxRow.objects.count()
    monkeypatch.setattr(trail, "record", full)
    with pytest.raises(OSError, match="full"):
        with action(cast.acting(cast.clinician), Verb.MEETING_END, the(meeting)) as act:
            act.move(act.subject, "over")
            act.publish("group", {"group": "g", "message": {}})
    monkeypatch.undo()
    assert the(meeting).get().state == MeetingState.PLANNED
    assert OutboxRow.objects.count() == owed
    assert not deeds(Verb.MEETING_END)


def test_when_a_refusal_cannot_be_written_it_is_still_a_failure(cast, meeting, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("the disk is full")

    monkeypatch.setattr(trail, "record", full)
    with pytest.raises(OSError, match="full"):
        with action(cast.acting(cast.stranger), Verb.MEETING_END, the(meeting)):
            pytest.fail("the block ran")


def test_an_unforeseen_error_undoes_the_change_too(cast, meeting):
    with pytest.raises(ZeroDivisionError):
        with action(cast.acting(cast.clinician), Verb.MEETING_END, the(meeting)) as act:
            act.move(act.subject, "over")
            _ = 1 / 0
    assert the(meeting).get().state == MeetingState.PLANNED
    assert not deeds(Verb.MEETING_END)


def test_who_moves_second_has_lost_the_race(cast, meeting):
    with refused(Verb.MEETING_END, "wrong_state"):
        with action(cast.acting(cast.clinician), Verb.MEETING_END, the(meeting)) as act:
            the(meeting).update(state="open")  # somebody between the reading and the writing
            act.move(act.subject, "over")
    assert the(meeting).get().state == MeetingState.PLANNED  # the rollback took both


def test_the_first_move_is_what_the_entry_tells(cast, meeting):
    with action(cast.acting(cast.clinician), Verb.MEETING_END, the(meeting)) as act:
        act.move(act.subject, "open")
        act.move(act.subject, "over")
    (row,) = deeds(Verb.MEETING_END)
    assert '"from":"planned"' in row.body
    assert the(meeting).get().state == MeetingState.OVER


def test_an_action_inside_another_is_refused(cast, meeting):
    clinician = cast.acting(cast.clinician)
    with pytest.raises(RuntimeError, match="durable"):
        with action(clinician, Verb.MEETING_END, the(meeting)):
            with action(clinician, Verb.MEETING_END, the(meeting)):
                pytest.fail("nested")
    assert not deeds(Verb.MEETING_END)


def test_an_action_inside_somebodys_transaction_is_refused(cast, meeting):
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        with action(cast.acting(cast.clinician), Verb.MEETING_END, the(meeting)):
            pytest.fail("nested")


def test_publishing_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="needs the transaction of the change"):
        publish("task", None, {})


@pytest.mark.usefixtures("cast")
def test_a_subject_that_is_no_row_is_taken_as_it_is():
    with action(service("sweeper"), Verb.OUTBOX_SWEEP, Installation()) as act:
        act.details |= {"swept": 0}
    (row,) = deeds(Verb.OUTBOX_SWEEP)
    assert (row.subject, row.organisation_id) == ("installation", None)


def test_a_refusal_raised_inside_keeps_the_gates_kind(cast, meeting):
    with pytest.raises(gate.Refusal) as caught:
        with action(cast.acting(cast.stranger), Verb.MEETING_END, the(meeting)):
            pytest.fail("the block ran")
    assert caught.value.recorded
    assert TrailRow.objects.filter(outcome="refused").count() == 1
