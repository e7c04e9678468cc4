"""Segments that are not what was taken: no films are made, and it is said which segment it is.

Each kind is planted in the storage, or in the roll, of a recording that was gathered as it should
be; then its films are asked for as Celery asks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from access.verbs import Verb
from audit.clock import database_now
from foundation.sealing.errors import Refused
from foundation.sealing.runs import RunWriter
from recordings import storage, tasks
from recordings.actions import store
from recordings.lifecycle import RecordingState
from recordings.models import Recording, Run, Segment, StoredFilm
from tests.audit.reading import deeds
from tests.recordings.conftest import call, gathered, own_storage
from tests.recordings.test_roll import content
from vault import recording_keys

__all__ = ["call", "gathered", "own_storage"]  # fixtures


class Place:
    """The segments of one run where the storage keeps them."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.run = Run.objects.get(recording=recording)

    def name(self, number: int) -> str:
        one = self.recording
        return storage.segment_name(one.organisation_id, one.pk, self.run.pk, number)

    def read(self, number: int) -> bytes:
        return storage.blobs().read(self.name(number), 0, 1 << 24)

    def lay(self, number: int, body: bytes | None) -> None:
        """This under that number, whatever was there; nothing for None."""
        storage.blobs().delete(self.name(number))
        if body is not None:
            storage.blobs().put(self.name(number), body)


def swapped(place: Place) -> None:
    first, second = place.read(1), place.read(2)
    place.lay(1, second)
    place.lay(2, first)


def dropped(place: Place) -> None:
    place.lay(3, None)


def repeated(place: Place) -> None:
    place.lay(2, place.read(1))


def truncated(place: Place) -> None:
    place.lay(4, place.read(4)[:-1])


def of_another_recording(place: Place) -> None:
    one = place.recording
    other = RunWriter(one.organisation_id, uuid4(), bytes(one.public_key))
    place.lay(0, other.seal(content()))


def changed(place: Place) -> None:
    body = place.read(2)
    place.lay(2, body[:-1] + bytes([body[-1] ^ 1]))


def struck_from_the_roll(place: Place) -> None:
    Segment.objects.filter(run=place.run, sequence=2).delete()


def added_to_the_roll(place: Place) -> None:
    newest = Segment.objects.filter(run=place.run).order_by("sequence").last()
    newest.pk, newest.sequence = None, newest.sequence + 1
    newest.save(force_insert=True)
    place.lay(newest.sequence, place.read(newest.sequence - 1))


#: What is planted, what it is called, and the number of the segment that is named.
PLANTED: dict[Callable[[Place], None], tuple[str, int]] = {
    swapped: ("SegmentMisplaced", 1),
    dropped: ("SegmentMissing", 3),
    repeated: ("SegmentRepeated", 2),
    truncated: ("SegmentTruncated", 4),
    of_another_recording: ("SegmentFromAnotherRecording", 0),
    changed: ("SegmentTampered", 2),
    struck_from_the_roll: ("SegmentTampered", 2),
    added_to_the_roll: ("SegmentRepeated", 7),
}


def try_again(recording_id: UUID) -> None:
    """The lease of who tried before has ended."""
    Recording.objects.filter(pk=recording_id).update(maker_until=None)
    tasks.make_films(str(recording_id))


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_films_are_refused_and_row_and_trail_say_which_segment_it_is(
    gathered: Recording, plant: Callable[[Place], None]
):
    store.advance()
    plant(Place(gathered))
    name, number = PLANTED[plant]
    for _ in range(2):
        with pytest.raises(Refused, match=name):
            try_again(gathered.pk)
    recording = Recording.objects.get(pk=gathered.pk)
    run = Run.objects.get(recording=recording)
    assert recording.seal_refusal == f"{name} run={run.pk} sequence={number}"
    assert (recording.state, recording.stored_at) == (RecordingState.SEALING, None)
    assert recording.manifest == ""
    # Half of it is not called stored, and what may be mended is not thrown away.
    assert not StoredFilm.objects.filter(read_back_at__isnull=False).exists()
    folder = storage.folder(recording.organisation_id, recording.pk)
    assert not [n for n in storage.blobs().names(folder) if "/segments/" not in n]
    assert recording_keys.private_half(recording.pk)
    # Once, however often it is tried.
    [row] = deeds(Verb.RECORDING_FALTER)
    assert row.subject == f"recording:{recording.pk}"
    assert json.loads(row.body)["details"] == {
        "reason": name,
        "run": str(run.pk),
        "sequence": number,
    }
    assert deeds(Verb.RECORDING_STORE) == []


def test_what_was_put_right_is_stored_and_nothing_is_said_any_more(gathered: Recording):
    store.advance()
    place = Place(gathered)
    kept = place.read(3)
    dropped(place)
    with pytest.raises(Refused):
        try_again(gathered.pk)
    place.lay(3, kept)
    try_again(gathered.pk)
    recording = Recording.objects.get(pk=gathered.pk)
    assert (recording.state, recording.seal_refusal) == (RecordingState.STORED, "")
    assert recording.stored_at <= database_now()
