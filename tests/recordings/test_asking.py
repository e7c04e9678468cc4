"""Asking to record: everybody agrees, or nothing begins."""

from __future__ import annotations

import base64

import pytest
from django.db import transaction

from access.verbs import Verb
from audit.trail import personal_fields
from foundation.wire.browser import Mode
from meetings.actions import consent, enter, host, plan
from meetings.models import Meeting, Seat
from recordings import manifests, policies
from recordings.actions import ask, capture
from recordings.lifecycle import RecordingState
from recordings.models import Attestation, Recording, RetentionPolicy
from tests.audit.reading import deeds, refused
from tests.cast import INTERPRETER_EMAIL, INTERPRETER_NAME
from tests.meetings.visit import acting_through, admitted, host_seated, waiting
from tests.recordings.calls import Call, connect, latest, state_of
from vault.models import RecordingKey


def test_it_begins_when_the_last_one_in_the_call_agrees(call: Call):
    recording = call.ask(others_in_room=2)
    assert (recording.state, RecordingKey.objects.count()) == (RecordingState.ASKED, 0)
    call.agree(call.host)
    assert state_of(recording.pk) == RecordingState.ASKED
    assert call.orders() == []
    call.agree(call.guest)
    recording.refresh_from_db()
    assert recording.state == RecordingState.RECORDING
    assert recording.started_at is not None
    key = base64.urlsafe_b64encode(bytes(recording.public_key)).rstrip(b"=").decode()
    assert call.orders() == [
        {
            "type": "worker.record",
            "room": str(call.meeting.pk),
            "recording": str(recording.pk),
            "organisation": str(call.meeting.organisation_id),
            "public_key": key,
            "places": call.place_ids(call.host, call.guest),
        }
    ]
    assert len(bytes(recording.public_key)) == 32
    assert Attestation.objects.get().others == 2
    assert [row.subject for row in deeds(Verb.RECORDING_BEGIN)] == [f"recording:{recording.pk}"]


def test_one_who_does_not_agree_is_enough(call: Call):
    recording = call.ask()
    call.agree(call.host)
    call.meeting.refresh_from_db()
    consent.refuse(call.patient, call.guest.participation_id, call.meeting.consent_text_id)
    recording.refresh_from_db()
    assert (recording.state, recording.end_reason) == (RecordingState.ABANDONED, "refused")
    call.meeting.refresh_from_db()
    assert call.meeting.consent_text is None
    assert call.orders() == []
    assert RecordingKey.objects.count() == 0, "no key without a recording"
    assert call.ask().pk != recording.pk, "it may be asked again"


def test_who_agreed_and_changes_their_mind_before_it_begins_ends_the_question(call: Call):
    recording = call.ask()
    call.agree(call.guest)
    consent.withdraw(call.patient, call.guest.participation_id)
    assert state_of(recording.pk) == RecordingState.ABANDONED


def test_what_was_agreed_to_before_counts_no_more_when_it_is_asked_again(call: Call):
    recording = call.ask()
    call.agree(call.host)
    ask.take_back(call.clinician, recording.pk)
    assert state_of(recording.pk) == RecordingState.ABANDONED
    second = call.ask()
    call.agree(call.guest)
    assert state_of(second.pk) == RecordingState.ASKED
    call.agree(call.host)
    assert state_of(second.pk) == RecordingState.RECORDING


def test_a_second_recording_asks_everybody_anew_also_who_withdrew_from_the_first(call: Call):
    first = call.recording()
    consent.withdraw(call.patient, call.guest.participation_id)
    capture.stop(call.clinician, first.pk)
    before = [(row["place"], row["withdrawn_at"]) for row in manifests.consents_of(first)]
    second = call.ask()
    assert state_of(second.pk) == RecordingState.ASKED
    call.agree(call.host)
    assert state_of(second.pk) == RecordingState.ASKED
    call.agree(call.guest)
    assert state_of(second.pk) == RecordingState.RECORDING
    assert call.orders()[-1]["places"] == call.place_ids(call.host, call.guest)
    assert len(manifests.consents_of(second)) == 2
    assert [(row["place"], row["withdrawn_at"]) for row in manifests.consents_of(first)] == before


def test_a_private_call_is_not_recorded(cast):
    policies.write(cast.hospital.pk, may_record=True)
    meeting, _ = cast.meeting(Mode.PRIVATE)
    seat, _ = host_seated(cast, meeting)
    enter.join_ticket(acting_through(seat), seat)
    with refused(Verb.RECORDING_ASK, "recording_not_here"):
        ask.ask(acting_through(seat), meeting.pk, seat.participation_id, others_in_room=0)
    assert not Recording.objects.exists()


def test_nobody_records_before_the_organisation_says_that_calls_may_be(call: Call):
    policies.write(call.meeting.organisation_id, may_record=False)
    with refused(Verb.RECORDING_ASK, "recording_not_here"):
        call.ask()
    RetentionPolicy.objects.all().delete()
    with refused(Verb.RECORDING_ASK, "recording_not_here"):
        call.ask()
    assert not RetentionPolicy.objects.filter(may_record=True).exists()


def test_only_a_host_asks(call: Call, cast):
    for somebody, reason in (
        (call.patient, "not_permitted"),
        (cast.acting(cast.colleague), "not_permitted"),
        (cast.acting(cast.officer), "not_permitted"),
        (cast.acting(cast.stranger), "not_found"),
        (cast.acting(cast.clinician, mfa=False), "second_factor_required"),
    ):
        with refused(Verb.RECORDING_ASK, reason):
            ask.ask(somebody, call.meeting.pk, call.host.participation_id, others_in_room=0)


def test_there_is_one_recording_at_a_time(call: Call):
    call.ask()
    with refused(Verb.RECORDING_ASK, "recording_asked"):
        call.ask()
    call.agree(call.host, call.guest)
    with refused(Verb.RECORDING_ASK, "recording_asked"):
        call.ask()
    assert Recording.objects.count() == 1


def test_the_one_who_had_not_answered_leaves_and_the_others_had_agreed(call: Call):
    recording = call.ask()
    call.agree(call.host)
    host.leave(call.patient, call.guest.participation_id)
    assert state_of(recording.pk) == RecordingState.RECORDING
    assert call.orders()[-1]["places"] == call.place_ids(call.host)


def test_the_asker_leaves_before_it_began(call: Call):
    recording = call.ask()
    call.agree(call.guest)
    host.leave(call.clinician, call.host.participation_id)
    recording.refresh_from_db()
    assert (recording.state, recording.end_reason) == (RecordingState.ABANDONED, "starter_left")


@pytest.fixture
def third(call: Call, cast) -> Seat:
    """An interpreter who was let in and has not entered yet."""
    guest = plan.NewGuest(INTERPRETER_NAME, INTERPRETER_EMAIL)
    issued = plan.invite_guest(cast.acting(cast.clinician), call.meeting.pk, guest)
    return admitted(cast, call.meeting, issued)


def test_a_late_joiner_agrees_before_entering_and_is_recorded_from_then_on(call: Call, third: Seat):
    call.recording()
    with refused(Verb.ROOM_JOIN, "consent_required"):
        enter.join_ticket(acting_through(third), third)
    before = latest()
    call.agree(third)
    assert call.orders(before)[-1]["places"] == call.place_ids(call.host, call.guest, third)
    assert enter.join_ticket(acting_through(third), third)
    connect(third)


def test_who_left_before_it_was_asked_answers_at_the_door_and_comes_back(call: Call, third: Seat):
    enter.join_ticket(acting_through(third), third)
    connect(third)
    host.leave(acting_through(third), third.participation_id)
    call.recording()
    with refused(Verb.ROOM_JOIN, "consent_required"):
        enter.join_ticket(acting_through(third), third)
    assert enter.wait_ticket(acting_through(third), third)
    call.agree(third)
    before = latest()
    assert enter.join_ticket(acting_through(third), third)
    connect(third)
    assert call.orders(before)[-1]["places"] == call.place_ids(call.host, call.guest, third)


def test_who_else_is_in_the_askers_room_stands_sealed_beside_the_trail(call: Call):
    call.ask(others_in_room=1, who="Zwitscherling, a student")
    [row] = deeds(Verb.RECORDING_ASK)
    assert "Zwitscherling" not in row.body
    assert personal_fields(row) == {"in_the_room": "Zwitscherling, a student"}
    assert Attestation.objects.get().others == 1


def test_who_comes_while_it_is_only_asked_is_asked_as_well(call: Call, third: Seat):
    recording = call.ask()
    enter.join_ticket(acting_through(third), third)
    connect(third)
    call.agree(call.host, call.guest)
    assert state_of(recording.pk) == RecordingState.ASKED
    call.agree(third)
    assert state_of(recording.pk) == RecordingState.RECORDING


def test_one_who_waits_holds_nothing_up(call: Call, cast):
    guest = plan.NewGuest(INTERPRETER_NAME, INTERPRETER_EMAIL)
    issued = plan.invite_guest(cast.acting(cast.clinician), call.meeting.pk, guest)
    waiting(issued)
    recording = call.ask()
    call.agree(call.host, call.guest)
    assert state_of(recording.pk) == RecordingState.RECORDING


def test_the_words_and_the_policy_are_those_of_the_moment_of_asking(call: Call):
    recording = call.recording()
    assert recording.text.sha256
    assert (recording.policy.version, recording.policy.keep_days) == (1, 3_653)
    with transaction.atomic():
        assert Meeting.objects.get(pk=call.meeting.pk).consent_needed_to_enter
