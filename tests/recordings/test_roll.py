"""The roll: what is on it was taken, from the right worker, in order, once."""

from __future__ import annotations

import secrets
from uuid import uuid4

import pytest

from access.verbs import Verb
from audit.models import TrailRow
from foundation.errors import ConsiliumError
from foundation.sealing import records
from foundation.sealing.runs import RunWriter
from media.models import MediaWorker
from recordings import storage
from recordings.actions import capture, roll
from recordings.models import Recording, Run, Segment
from recordings.segments import reader
from tests.recordings.calls import Call, latest


def writer(recording: Recording) -> RunWriter:
    return RunWriter(recording.organisation_id, recording.pk, bytes(recording.public_key))


def content(at_us: int = 0) -> list[records.Record]:
    return [records.Opening(clock_us=at_us, wall_us=at_us, covers_us=1_000_000)]


def last() -> list[records.Record]:
    return [*content(), records.Closing(records.Why.STOPPED)]


def ship(call: Call, recording: Recording, run: RunWriter, body: bytes, sequence: int) -> bool:
    return roll.take_segment(call.worker, recording.pk, run.run, sequence, body)


def test_what_is_taken_is_kept_and_on_the_roll(call: Call):
    recording = call.recording()
    run = writer(recording)
    bodies = [run.seal(content(0)), run.seal(content(1)), run.seal(last(), last=True)]
    for sequence, body in enumerate(bodies):
        assert ship(call, recording, run, body, sequence)
        name = storage.segment_name(recording.organisation_id, recording.pk, run.run, sequence)
        assert storage.blobs().read(name, 0, len(body)) == body
    row = Run.objects.get()
    assert (row.segments, row.finished, row.number) == (3, True, 0)
    assert (row.worker, row.recording) == (call.worker, recording)
    assert list(Segment.objects.order_by("sequence").values_list("sequence", "size")) == [
        (n, len(body)) for n, body in enumerate(bodies)
    ]


def test_the_same_bytes_twice_are_acknowledged_twice_and_kept_once(call: Call):
    recording = call.recording()
    run = writer(recording)
    body = run.seal(content())
    assert ship(call, recording, run, body, 0) is True
    assert ship(call, recording, run, body, 0) is False
    assert Segment.objects.count() == 1


def test_bytes_that_were_kept_before_a_crash_get_their_line_when_they_come_again(call: Call):
    recording = call.recording()
    run = writer(recording)
    body = run.seal(content())
    name = storage.segment_name(recording.organisation_id, recording.pk, run.run, 0)
    storage.blobs().put(name, body)
    assert ship(call, recording, run, body, 0) is True


def test_who_reads_while_it_is_recorded_reads_what_was_there(call: Call):
    recording = call.recording()
    run = writer(recording)
    ship(call, recording, run, run.seal(content()), 0)
    begun = reader(recording)
    ship(call, recording, run, run.seal(content(1)), 1)
    assert [segment.sequence for segment in begun] == [0]
    assert [segment.sequence for segment in reader(recording)] == [0, 1]


def test_other_bytes_under_a_number_are_refused(call: Call):
    recording = call.recording()
    run, other = writer(recording), writer(recording)
    other.run = run.run
    assert ship(call, recording, run, run.seal(content()), 0)
    second = other.seal(content(5))
    with pytest.raises(ConsiliumError, match="segment_conflict"):
        ship(call, recording, run, second, 0)
    # Nor do they slip in where the bytes are there and the line is not.
    Segment.objects.all().delete()
    Run.objects.all().delete()
    with pytest.raises(ConsiliumError, match="segment_conflict"):
        ship(call, recording, run, second, 0)


def test_a_number_is_taken_only_after_the_one_before(call: Call):
    recording = call.recording()
    run = writer(recording)
    bodies = [run.seal(content(n)) for n in range(3)]
    with pytest.raises(ConsiliumError, match="segment_out_of_turn"):
        ship(call, recording, run, bodies[1], 1)
    assert ship(call, recording, run, bodies[0], 0)
    with pytest.raises(ConsiliumError, match="segment_out_of_turn"):
        ship(call, recording, run, bodies[2], 2)
    assert Segment.objects.count() == 1


def test_a_segment_that_does_not_follow_the_one_before_is_refused(call: Call):
    recording = call.recording()
    run, fork = writer(recording), writer(recording)
    fork.run = run.run
    assert ship(call, recording, run, run.seal(content(0)), 0)
    fork.seal(content(7))
    with pytest.raises(ConsiliumError, match="segment_out_of_turn"):
        ship(call, recording, run, fork.seal(content(8)), 1)


def test_nothing_follows_the_last(call: Call):
    recording = call.recording()
    run, longer = writer(recording), writer(recording)
    assert ship(call, recording, run, run.seal(last(), last=True), 0)
    longer.run = run.run
    longer._previous = bytes.fromhex(Run.objects.get().head)
    longer.sequence = 1
    with pytest.raises(ConsiliumError, match="segment_out_of_turn"):
        ship(call, recording, longer, longer.seal(content()), 1)


def test_what_belongs_elsewhere_is_refused(call: Call, cast):
    recording = call.recording()
    key = bytes(recording.public_key)
    organisation, run_id = recording.organisation_id, uuid4()
    strangers = {
        "another organisation": RunWriter(uuid4(), recording.pk, key),
        "another recording": RunWriter(organisation, uuid4(), key),
        "another key": RunWriter(organisation, recording.pk, secrets.token_bytes(32)),
        "another run": RunWriter(organisation, recording.pk, key),
    }
    for name, run in strangers.items():
        if name != "another run":
            run.run = run_id
        with pytest.raises(ConsiliumError, match="segment_malformed"):
            roll.take_segment(call.worker, recording.pk, run_id, 0, run.seal(content()))
    for junk in (
        b"",
        b"CSLM-SEG",
        secrets.token_bytes(500),
        writer(recording).seal(content())[:-1],
    ):
        with pytest.raises(ConsiliumError, match="segment_malformed"):
            roll.take_segment(call.worker, recording.pk, run_id, 0, junk)
    assert not Segment.objects.exists()


def test_only_a_worker_that_carried_the_room_ships(call: Call):
    recording = call.recording()
    run = writer(recording)
    body = run.seal(content())
    other = MediaWorker.objects.create(name="two", public_key="y" * 43)
    with pytest.raises(ConsiliumError) as caught:
        roll.take_segment(other, recording.pk, run.run, 0, body)
    assert caught.value.code == "recording_unknown"
    told = TrailRow.objects.latest("id")
    assert (told.tag, told.outcome, told.reason) == (Verb.SEGMENT_SHIP, "refused", "not_found")
    assert ship(call, recording, run, body, 0)


def test_another_workers_run_is_not_gone_on_with(call: Call):
    recording = call.recording()
    run = writer(recording)
    assert ship(call, recording, run, run.seal(content()), 0)
    other = MediaWorker.objects.create(name="two", public_key="y" * 43)
    Run.objects.update(worker=other)
    with pytest.raises(ConsiliumError, match="segment_out_of_turn"):
        ship(call, recording, run, run.seal(content()), 1)


@pytest.mark.parametrize("state", ["asked", "abandoned", "sealing", "stored", "shredded"])
def test_no_segment_is_taken_of_what_is_not_recorded_or_is_closed(call: Call, state):
    recording = call.recording()
    run = writer(recording)
    Recording.objects.update(state=state)
    with pytest.raises(ConsiliumError, match="recording_unknown"):
        ship(call, recording, run, run.seal(content()), 0)


def test_what_the_worker_still_holds_is_taken_after_the_end(call: Call):
    recording = call.recording()
    run = writer(recording)
    capture.stop(call.clinician, recording.pk)
    assert ship(call, recording, run, run.seal(last(), last=True), 0)


def test_runs_are_numbered_in_the_order_of_their_first_segment(call: Call):
    recording = call.recording()
    runs = [writer(recording) for _ in range(3)]
    for run in runs:
        assert ship(call, recording, run, run.seal(content()), 0)
    assert [row.pk for row in Run.objects.order_by("number")] == [run.run for run in runs]
    assert latest()
