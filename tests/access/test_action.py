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


def end(actor, meetings, then=lambda: None) -> None:
    """An action that moves, owes a delivery, and then does what the test is about."""
    with action(actor, Verb.MEETING_END, meetings) as act:
        act.move(act.subject, "over")
        act.publish("group", {"group": "g", "message": {}})
        then()


def full(*args: object, **kwargs: object) -> None:
    raise OSError("the disk is full")


def not_reached() -> None:
    pytest.fail("the block ran")


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

    def refuse() -> None:
        raise ConsiliumError("meeting_full")

    with refused(Verb.MEETING_END, "meeting_full"):
        end(cast.acting(cast.clinician), the(meeting), refuse)
    assert the(meeting).get().state == MeetingState.PLANNED
    assert OutboxRow.objects.count() == owed


def test_the_gate_is_asked_before_the_block_runs(cast, meeting):
    with refused(Verb.MEETING_END, "not_permitted"):
        end(cast.acting(cast.colleague), the(meeting), not_reached)


def test_a_row_that_is_not_there_has_the_reason_that_was_named(cast):
    nothing, clinician = Meeting.objects.none(), cast.acting(cast.clinician)
    with refused(Verb.MEETING_END, "not_found"):
        end(clinician, nothing, not_reached)
    unknown = action(clinician, Verb.MEETING_END, nothing, missing="invitation_unknown")
    with refused(Verb.MEETING_END, "invitation_unknown"), unknown:
        not_reached()


def test_when_the_entry_cannot_be_written_the_deed_does_not_happen(cast, meeting, monkeypatch):
    owed = OutboxRow.objects.count()
    monkeypatch.setattr(trail, "record", full)
    with pytest.raises(OSError, match="full"):
        end(cast.acting(cast.clinician), the(meeting))
    monkeypatch.undo()
    assert the(meeting).get().state == MeetingState.PLANNED
    assert OutboxRow.objects.count() == owed
    assert not deeds(Verb.MEETING_END)


def test_when_a_refusal_cannot_be_written_it_is_still_a_failure(cast, meeting, monkeypatch):
    monkeypatch.setattr(trail, "record", full)
    with pytest.raises(OSError, match="full"):
        end(cast.acting(cast.stranger), the(meeting), not_reached)


def test_an_unforeseen_error_undoes_the_change_too(cast, meeting):
    with pytest.raises(OSError, match="full"):
        end(cast.acting(cast.clinician), the(meeting), full)
    assert the(meeting).get().state == MeetingState.PLANNED
    assert not deeds(Verb.MEETING_END)


def test_who_moves_second_has_lost_the_race(cast, meeting):
    racing = action(cast.acting(cast.clinician), Verb.MEETING_END, the(meeting))
    with refused(Verb.MEETING_END, "wrong_state"), racing as act:
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
        end(clinician, the(meeting), lambda: end(clinician, the(meeting), not_reached))
    assert not deeds(Verb.MEETING_END)


def test_an_action_inside_somebodys_transaction_is_refused(cast, meeting):
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        end(cast.acting(cast.clinician), the(meeting), not_reached)


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
        end(cast.acting(cast.stranger), the(meeting), not_reached)
    assert caught.value.recorded
    assert TrailRow.objects.filter(outcome="refused").count() == 1
