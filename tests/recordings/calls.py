"""A governed call of the clinician and the patient, both connected, on a present worker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from audit.clock import database_now
from foundation.actor import Actor
from foundation.sealing.records import Closing
from foundation.sealing.runs import RunWriter
from foundation.wire.browser import Mode, Purpose
from media.actions import paths
from media.models import MediaWorker
from meetings.actions import consent, enter
from meetings.models import Meeting, Seat
from outbox.models import OutboxRow
from recordings import policies
from recordings.actions import ask, capture, roll, store
from recordings.lifecycle import RecordingState
from recordings.models import Recording
from tests.cast import Cast
from tests.meetings.visit import acting_through, admitted, host_seated
from tests.recordings.films import studio
from tests.recordings.films.studio import Person, camera, microphone


def connect(seat: Seat) -> None:
    """The page of ``seat`` is in the call, and its media are on a worker."""
    with transaction.atomic():
        enter.connect(seat, Purpose.JOIN, uuid4())
        paths.open_path(seat.participation_id)


@dataclass
class Call:
    cast: Cast
    meeting: Meeting
    host: Seat
    guest: Seat
    worker: MediaWorker

    @property
    def clinician(self) -> Actor:
        return acting_through(self.host)

    @property
    def patient(self) -> Actor:
        return acting_through(self.guest)

    def ask(self, others_in_room: int = 0, who: str = "") -> Recording:
        return ask.ask(
            self.clinician,
            self.meeting.pk,
            self.host.participation_id,
            others_in_room=others_in_room,
            who=who,
        )

    def agree(self, *seats: Seat) -> None:
        self.meeting.refresh_from_db()
        assert self.meeting.consent_text_id is not None
        for seat in seats:
            consent.give(acting_through(seat), seat.participation_id, self.meeting.consent_text_id)

    def recording(self) -> Recording:
        """One that runs."""
        recording = self.ask()
        self.agree(self.host, self.guest)
        recording.refresh_from_db()
        return recording

    def orders(self, after: int = 0) -> list[dict[str, object]]:
        """What the worker was told about recordings, oldest first."""
        told = [
            row.payload["message"]
            for row in OutboxRow.objects.filter(id__gt=after).order_by("id")
            if row.topic == "group"
        ]
        words = (
            "worker.record",
            "worker.pause_recording",
            "worker.resume_recording",
            "worker.withdraw",
            "worker.stop_recording",
        )
        return [message for message in told if message["type"] in words]

    def place_ids(self, *seats: Seat) -> list[str]:
        return sorted(str(seat.participation_id) for seat in seats)


def latest() -> int:
    """The newest row of the outbox."""
    newest = OutboxRow.objects.order_by("id").last()
    return newest.pk if newest is not None else 0


def state_of(recording_id: UUID) -> str:
    return Recording.objects.get(pk=recording_id).state


def begun(cast: Cast) -> Call:
    """Both are in the call."""
    worker = MediaWorker.objects.create(
        name="one",
        public_key="x" * 43,
        link=uuid4(),
        capacity=20,
        present_until=database_now() + timedelta(minutes=5),
    )
    policies.write(cast.hospital.pk, may_record=True)
    meeting, issued = cast.meeting(Mode.GOVERNED)
    host, _ = host_seated(cast, meeting)
    enter.join_ticket(acting_through(host), host)
    guest = admitted(cast, meeting, issued)
    for seat in (host, guest):
        connect(seat)
    meeting.refresh_from_db()
    return Call(cast, meeting, host, guest, worker)


#: How long the call of ``gather`` was.
SECONDS = 6


def ship(call: Call, recording: Recording, seconds: Iterable[studio.Segment]) -> UUID:
    """What the call's worker would: sealed, in order, acknowledged. The run's id."""
    return ship_by(call.worker, recording, seconds)


def ship_by(worker: MediaWorker, recording: Recording, seconds: Iterable[studio.Segment]) -> UUID:
    run = RunWriter(recording.organisation_id, recording.pk, bytes(recording.public_key))
    for segment in seconds:
        last = isinstance(segment.records[-1], Closing)
        number = run.sequence
        body = run.seal(segment.records, last=last)
        roll.take_segment(worker, recording.pk, run.run, number, body)
    return run.run


def gather(call: Call) -> Recording:
    """Six seconds of both, stopped, all of it shipped."""
    recording = call.recording()
    # The films' studio has a clock of its own.
    began = datetime.fromtimestamp(studio.STARTED_US / 1e6, UTC)
    Recording.objects.filter(pk=recording.pk).update(started_at=began)
    people = [Person(place=seat.participation_id) for seat in (call.host, call.guest)]
    feeds = [
        feed
        for number, person in enumerate(people)
        for feed in (camera(person, 10 * number + 1), microphone(person, 10 * number + 2))
    ]
    ship(call, recording, studio.run(feeds, SECONDS))
    capture.stop(acting_through(call.host), recording.pk)
    Recording.objects.filter(pk=recording.pk).update(ended_at=database_now(), delete_after=None)
    recording.refresh_from_db()
    return recording


def stored(recording: Recording) -> Recording:
    store.advance()
    store.make_films(recording.pk)
    recording.refresh_from_db()
    assert recording.state == RecordingState.STORED
    return recording
