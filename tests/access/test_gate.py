"""The gate asks the table and writes each refusal down, once, with its reason."""

from __future__ import annotations

import pytest

from access import gate
from access.facts import Installation
from access.verbs import Verb
from audit.models import TrailRow
from foundation.actor import anonymous
from foundation.errors import ConsiliumError
from meetings.models import Meeting
from tests.audit.reading import refused


def test_a_granted_look_writes_nothing(cast):
    before = TrailRow.objects.count()
    facts = gate.require(cast.acting(cast.clinician), Verb.DESK_OPEN, Installation())
    assert "clinician" in facts.roles
    assert TrailRow.objects.count() == before


def test_a_refusal_stands_on_the_trail_of_the_subjects_organisation(cast):
    meeting, _ = cast.meeting()
    with refused(Verb.MEETING_VIEW, "not_found"):
        gate.require(cast.acting(cast.stranger), Verb.MEETING_VIEW, meeting)
    row = TrailRow.objects.latest("id")
    assert row.organisation_id == cast.hospital.pk
    assert row.subject == f"meeting:{meeting.pk}"
    assert row.actor == f"person:{cast.stranger.pk}"


def test_a_refusal_without_a_subject_stands_on_the_actors_trail(cast):
    with refused(Verb.GUEST_ADMIT, "not_found"):
        refusal = gate.Refusal("not_found")
        gate.record_refusal(cast.acting(cast.clinician), Verb.GUEST_ADMIT, refusal)
        raise refusal
    row = TrailRow.objects.latest("id")
    assert (row.organisation_id, row.subject) == (cast.hospital.pk, "")


def test_a_refusal_is_written_once(cast):
    actor = cast.acting(cast.officer)
    with pytest.raises(gate.Refusal) as caught:
        gate.require(actor, Verb.DESK_OPEN, Installation())
    assert caught.value.recorded
    gate.record_refusal(actor, Verb.DESK_OPEN, caught.value)
    assert TrailRow.objects.filter(outcome="refused").count() == 1


def test_asking_for_a_button_writes_nothing(cast):
    before = TrailRow.objects.count()
    assert not gate.allows(anonymous(), Verb.DESK_OPEN, Installation())
    assert TrailRow.objects.count() == before


def test_a_refusal_is_a_problem_of_the_registry():
    assert isinstance(gate.Refusal("not_permitted"), ConsiliumError)
    with pytest.raises(KeyError):
        gate.Refusal("made_up")


def test_without_a_second_factor_staff_are_refused(cast):
    meeting, _ = cast.meeting()
    with refused(Verb.MEETING_VIEW, "second_factor_required"):
        actor = cast.acting(cast.clinician, mfa=False)
        gate.require(actor, Verb.MEETING_VIEW, Meeting.objects.get(pk=meeting.pk))
