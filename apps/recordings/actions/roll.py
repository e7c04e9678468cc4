"""The roll: taking segments from the worker that was ordered to make them.

A segment is kept in two steps, the bytes and then the line of the roll, and acknowledged after
both. The bytes have a name of their own, so a repetition finds them there; what has bytes and no
line was never acknowledged, and the worker ships it again.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F

from access import gate
from access.verbs import Verb
from audit.clock import database_now
from foundation.blobs import BlobExists
from foundation.errors import ConsiliumError
from foundation.fault_points import reached
from foundation.sealing.errors import Refused
from foundation.sealing.segment import NOTHING_BEFORE, SegmentHeader, describe, digest, key_id
from media.actions.workers import actor_of
from media.models import MediaWorker
from recordings.actions import trouble
from recordings.models import Recording, Run, Segment
from recordings.storage import blobs, segment_name


def take_segment(
    worker: MediaWorker, recording_id: UUID, run_id: UUID, sequence: int, body: bytes
) -> bool:
    """Keep one segment; true when it is new, false when the same bytes were kept before.

    Refused: ``segment_malformed`` (not one, or of another recording, run, number or key),
    ``recording_unknown`` (none, over, or not this worker's to make), ``segment_conflict`` (other
    bytes have this number), ``segment_out_of_turn`` (the one before is missing, or the run is
    over). Not inside a transaction: the bytes go to the storage.
    """
    recording = (
        Recording.objects.select_related("meeting", "keeper").filter(pk=recording_id).first()
    )
    if recording is None:
        raise ConsiliumError("recording_unknown")
    try:
        gate.require(actor_of(worker), Verb.SEGMENT_SHIP, recording)
    except gate.Refusal as refusal:
        raise gate.Refusal("recording_unknown", recorded=refusal.recorded) from refusal
    header = _described(recording, run_id, sequence, body)
    mark = digest(body).hex()
    known = Segment.objects.filter(run_id=run_id, sequence=sequence).first()
    if known is not None:
        if known.digest != mark:
            raise ConsiliumError("segment_conflict")
        return False
    _must_be_next(run_id, worker, sequence, header)
    try:
        with trouble.of_storage(recording):
            name = segment_name(recording.organisation_id, recording_id, run_id, sequence)
            blobs().put(name, body)
    except BlobExists:
        raise ConsiliumError("segment_conflict") from None
    reached("roll.kept")
    is_new = _write_down(worker, recording, run_id, sequence, header, mark, len(body))
    reached("roll.written")
    return is_new


def _described(recording: Recording, run_id: UUID, sequence: int, body: bytes) -> SegmentHeader:
    try:
        header = describe(body)
    except Refused as problem:
        raise ConsiliumError("segment_malformed", type(problem).__name__) from None
    is_this = (header.organisation, header.recording, header.run, header.sequence) == (
        recording.organisation_id,
        recording.pk,
        run_id,
        sequence,
    )
    if not is_this or header.key != key_id(bytes(recording.public_key)):
        raise ConsiliumError("segment_malformed", "it belongs elsewhere")
    return header


def _must_be_next(run_id: UUID, worker: MediaWorker, sequence: int, header: SegmentHeader) -> None:
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        if sequence != 0 or header.previous != NOTHING_BEFORE:
            raise ConsiliumError("segment_out_of_turn")
        return
    if (
        run.worker_id != worker.pk
        or run.recording_id != header.recording
        or run.finished
        or run.segments != sequence
        or run.head != header.previous.hex()
    ):
        raise ConsiliumError("segment_out_of_turn")


def _write_down(
    worker: MediaWorker,
    recording: Recording,
    run_id: UUID,
    sequence: int,
    header: SegmentHeader,
    mark: str,
    size: int,
) -> bool:
    with transaction.atomic():
        # One at a time for a recording: two runs that begin at once get different numbers, and
        # nothing is taken while the recording is being closed.
        locked = Recording.objects.select_for_update().get(pk=recording.pk)
        gate.check(actor_of(worker), Verb.SEGMENT_SHIP, locked)
        Run.objects.get_or_create(
            pk=run_id,
            defaults={
                "organisation_id": recording.organisation_id,
                "recording": recording,
                "worker": worker,
                "number": recording.runs.count(),
                "newest_at": database_now(),
            },
        )
        moved = Run.objects.filter(pk=run_id, segments=sequence, finished=False).update(
            segments=F("segments") + 1,
            head=mark,
            finished=header.last,
            newest_at=database_now(),
        )
        if moved:
            Segment.objects.create(
                organisation_id=recording.organisation_id,
                run_id=run_id,
                sequence=sequence,
                digest=mark,
                size=size,
            )
            return True
    # Somebody wrote it down meanwhile: the same request, twice at once.
    if Segment.objects.filter(run_id=run_id, sequence=sequence, digest=mark).exists():
        return False
    raise ConsiliumError("segment_conflict")
