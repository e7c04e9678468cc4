"""While it records: pausing, handing over, withdrawing, and every way to end."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from access.verbs import Verb
from audit.clock import database_now
from media.actions import paths
from media.events import RecordingReported
from meetings.actions import consent, enter, host
from meetings.models import Participation
from recordings.actions import capture
from recordings.lifecycle import RecordingState
from tests.audit.reading import deeds, refused
from tests.recordings.calls import Call, connect, latest, state_of


def told(call: Call, after: int) -> list[tuple[object, ...]]:
    """(order, what it is about) since ``after``."""
    return [
        (order["type"], order.get("place") or order.get("why") or order.get("places"))
        for order in call.orders(after)
    ]


def test_it_is_paused_and_goes_on(call: Call):
    recording = call.recording()
    before = latest()
    capture.pause(call.clinician, recording.pk)
    assert state_of(recording.pk) == RecordingState.PAUSED
    with refused(Verb.RECORDING_PAUSE, "wrong_state"):
        capture.pause(call.clinician, recording.pk)
    capture.resume(call.clinician, recording.pk)
    assert state_of(recording.pk) == RecordingState.RECORDING
    assert told(call, before) == [
        ("worker.pause_recording", None),
        ("worker.record", call.place_ids(call.host, call.guest)),
        ("worker.resume_recording", None),
    ]


def test_it_is_stopped_once_and_nobody_is_asked_any_more(call: Call):
    recording = call.recording()
    before = latest()
    capture.stop(call.clinician, recording.pk)
    recording.refresh_from_db()
    assert (recording.state, recording.end_reason) == (RecordingState.GATHERING, "stopped")
    assert recording.ended_at is not None
    assert told(call, before) == [("worker.stop_recording", "stopped")]
    call.meeting.refresh_from_db()
    assert (call.meeting.consent_text, call.meeting.consent_needed_to_enter) == (None, False)
    with refused(Verb.RECORDING_STOP, "wrong_state"):
        capture.stop(call.clinician, recording.pk)


def test_a_guest_neither_pauses_nor_stops(call: Call, cast):
    recording = call.recording()
    for verb, act in (
        (Verb.RECORDING_PAUSE, capture.pause),
        (Verb.RECORDING_STOP, capture.stop),
    ):
        for somebody, reason in (
            (call.patient, "not_permitted"),
            (cast.acting(cast.officer), "not_permitted"),
            (cast.acting(cast.stranger), "not_found"),
        ):
            with refused(verb, reason):
                act(somebody, recording.pk)
    assert state_of(recording.pk) == RecordingState.RECORDING


def test_who_withdraws_is_taken_no_more_and_the_rest_goes_on(call: Call):
    recording = call.recording()
    before = latest()
    consent.withdraw(call.patient, call.guest.participation_id)
    assert told(call, before) == [("worker.withdraw", str(call.guest.participation_id))]
    assert state_of(recording.pk) == RecordingState.RECORDING
    assert deeds(Verb.RECORDING_SPARE)
    # Nor is anything of them taken when the worker is told again.
    before = latest()
    connect(call.guest)
    assert told(call, before)[-1] == ("worker.record", call.place_ids(call.host))


def test_it_ends_when_nobody_is_left_who_agrees(call: Call):
    recording = call.recording()
    consent.withdraw(call.patient, call.guest.participation_id)
    consent.withdraw(call.clinician, call.host.participation_id)
    recording.refresh_from_db()
    assert (recording.state, recording.end_reason) == (RecordingState.GATHERING, "withdrawn")


def test_it_ends_when_its_keeper_leaves(call: Call):
    recording = call.recording()
    before = latest()
    host.leave(call.clinician, call.host.participation_id)
    recording.refresh_from_db()
    assert (recording.state, recording.end_reason) == (RecordingState.GATHERING, "starter_left")
    assert told(call, before) == [("worker.stop_recording", "starter_left")]


def unheard(call: Call, seconds: float) -> None:
    """The keeper's page was last heard so long ago, and its socket is gone."""
    Participation.objects.filter(pk=call.host.participation_id).update(
        seen_at=database_now() - timedelta(seconds=seconds), socket=None
    )


def test_it_ends_when_its_keepers_connection_died_and_stays_away(call: Call):
    recording = call.recording()
    before = latest()
    unheard(call, capture.KEEPER_IS_MISSED_FOR.total_seconds() + 1)
    capture.end_unkept()
    recording.refresh_from_db()
    assert (recording.state, recording.end_reason) == (RecordingState.GATHERING, "starter_left")
    assert told(call, before) == [("worker.stop_recording", "starter_left")]
    capture.end_unkept()
    assert len(deeds(Verb.RECORDING_END)) == 1


def test_a_question_ends_as_well_when_whoever_asked_is_gone(call: Call):
    recording = call.ask()
    unheard(call, capture.KEEPER_IS_MISSED_FOR.total_seconds() + 1)
    capture.end_unkept()
    assert state_of(recording.pk) == RecordingState.ABANDONED
    assert not deeds(Verb.RECORDING_END)


def test_a_short_interruption_of_the_keepers_line_ends_nothing(call: Call):
    recording = call.recording()
    unheard(call, capture.KEEPER_IS_MISSED_FOR.total_seconds() - 2)
    capture.end_unkept()
    assert state_of(recording.pk) == RecordingState.RECORDING
    unheard(call, 600)
    connect(call.host)  # back, or on another device
    capture.end_unkept()
    assert state_of(recording.pk) == RecordingState.RECORDING


def test_a_guest_whose_connection_died_ends_nothing(call: Call):
    recording = call.recording()
    Participation.objects.filter(pk=call.guest.participation_id).update(seen_at=None, socket=None)
    capture.end_unkept()
    assert state_of(recording.pk) == RecordingState.RECORDING


def test_it_goes_on_when_a_guest_leaves(call: Call):
    recording = call.recording()
    host.leave(call.patient, call.guest.participation_id)
    assert state_of(recording.pk) == RecordingState.RECORDING


def test_the_keeper_on_another_device_has_not_left(call: Call):
    recording = call.recording()
    connect(call.host)
    assert state_of(recording.pk) == RecordingState.RECORDING


def test_a_guest_does_not_keep_a_recording(call: Call):
    recording = call.recording()
    with refused(Verb.RECORDING_HAND_OVER, "not_found"):
        capture.hand_over(call.clinician, recording.pk, call.guest.participation_id)
    with refused(Verb.RECORDING_HAND_OVER, "not_permitted"):
        capture.hand_over(call.patient, recording.pk, call.guest.participation_id)


def test_it_ends_with_the_meeting(call: Call, cast):
    recording = call.recording()
    host.end_meeting(cast.acting(cast.clinician), call.meeting.pk)
    recording.refresh_from_db()
    assert (recording.state, recording.end_reason) == (RecordingState.GATHERING, "meeting_ended")
    assert deeds(Verb.RECORDING_END)


def test_a_question_ends_with_the_meeting(call: Call, cast):
    recording = call.ask()
    host.end_meeting(cast.acting(cast.clinician), call.meeting.pk)
    assert state_of(recording.pk) == RecordingState.ABANDONED


def test_a_worker_that_takes_the_room_is_told_again(call: Call):
    recording = call.recording()
    capture.pause(call.clinician, recording.pk)
    before = latest()
    with transaction.atomic():
        paths.open_path(call.guest.participation_id)
    assert told(call, before) == [
        ("worker.record", call.place_ids(call.host, call.guest)),
        ("worker.pause_recording", None),
    ]


def test_a_worker_is_told_nothing_of_a_recording_that_is_over_or_only_asked(call: Call):
    recording = call.ask()
    before = latest()
    connect(call.guest)
    assert told(call, before) == []
    call.agree(call.host, call.guest)
    capture.stop(call.clinician, recording.pk)
    before = latest()
    connect(call.guest)
    assert told(call, before) == []
    assert enter.join_ticket(call.patient, call.guest)


def says(call: Call, recording_id, state: str, reason: str = "") -> None:
    with transaction.atomic():
        capture.worker_reported(
            RecordingReported(call.meeting.pk, recording_id, None, state, reason)
        )


def test_what_the_worker_says_is_shown_and_what_went_wrong_is_on_the_trail(call: Call):
    recording = call.recording()
    says(call, recording.pk, "recording")
    recording.refresh_from_db()
    assert (recording.worker_state, recording.worker_reason) == ("recording", "")
    assert not deeds(Verb.RECORDING_FALTER)
    for _ in range(2):
        says(call, recording.pk, "paused", "spool_full")
    says(call, recording.pk, "failed", "fault")
    recording.refresh_from_db()
    assert (recording.worker_state, recording.worker_reason) == ("failed", "fault")
    assert recording.state == RecordingState.RECORDING, "the call goes on, and so does the question"
    assert len(deeds(Verb.RECORDING_FALTER)) == 2


def test_what_a_worker_says_of_another_rooms_recording_counts_for_nothing(call: Call):
    recording = call.recording()
    with transaction.atomic():
        capture.worker_reported(
            RecordingReported(recording.pk, recording.pk, None, "failed", "fault")
        )
    recording.refresh_from_db()
    assert recording.worker_state == ""
