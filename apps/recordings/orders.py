"""What the media worker of a room is told about its recording. Each order may be repeated.

Expects the transaction of the change it follows from. Where the room is nowhere at the moment,
nobody is told: whoever takes the room is told when it leases the first place.
"""

from __future__ import annotations

import base64
from uuid import UUID

from media.actions.paths import placement_of
from media.groups import tell_worker
from meetings import consents
from meetings.lifecycle import PlaceState
from recordings.lifecycle import RecordingState
from recordings.models import Recording


def record(recording: Recording) -> None:
    """Take the frames of everybody who agreed; while it is paused, of nobody yet."""
    agreed = consents.agreed(recording.meeting)
    admitted = recording.meeting.participations.filter(state=PlaceState.ADMITTED)
    places = [str(pk) for pk in admitted.values_list("pk", flat=True) if pk in agreed]
    key = base64.urlsafe_b64encode(bytes(recording.public_key)).rstrip(b"=").decode()
    _tell(
        recording,
        "record",
        organisation=str(recording.organisation_id),
        public_key=key,
        places=sorted(places),
    )
    if recording.state == RecordingState.PAUSED:
        pause(recording)


def pause(recording: Recording) -> None:
    _tell(recording, "pause_recording")


def resume(recording: Recording) -> None:
    _tell(recording, "resume_recording")


def withdraw(recording: Recording, place: UUID) -> None:
    _tell(recording, "withdraw", place=str(place))


def stop(recording: Recording, why: str) -> None:
    _tell(recording, "stop_recording", why=why)


def _tell(recording: Recording, command: str, **fields: object) -> None:
    placement = placement_of(recording.meeting_id)
    if placement is not None:
        tell_worker(
            placement.worker_id,
            command,
            room=str(recording.meeting_id),
            recording=str(recording.pk),
            **fields,
        )
