"""A recording's segments as its roll and the storage have them, opened for one act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from foundation.blobs import BlobMissing
from foundation.sealing.reading import SegmentsReader
from foundation.sealing.records import Protection
from recordings.models import Recording, Run
from recordings.storage import blobs, segment_name, segments_prefix
from vault import recording_keys


def reader(recording: Recording) -> SegmentsReader:
    """Reads every segment, checked; may be iterated again. Raises ``KeyDestroyed``.

    Holds the recording's private half for as long as it is kept.
    """
    runs = list(Run.objects.filter(recording=recording).order_by("number"))
    # Counted before the roll is read: while it is still recorded, the roll only grows.
    taken = {run.pk: run.segments for run in runs}
    roll = [
        (run.pk, [bytes.fromhex(line.digest) for line in run.roll.order_by("sequence")])
        for run in runs
    ]

    def fetch(run: UUID, sequence: int, most: int) -> bytes | None:
        name = segment_name(recording.organisation_id, recording.pk, run, sequence)
        try:
            return blobs().read(name, 0, most)
        except BlobMissing:
            return None

    return SegmentsReader(
        organisation=recording.organisation_id,
        recording=recording.pk,
        protection=Protection.NONE,
        private_key=recording_keys.private_half(recording.pk).private_bytes_raw(),
        roll=roll,
        fetch=fetch,
        present=lambda: _present(recording, taken),
    )


def _present(recording: Recording, taken: Mapping[UUID, int]) -> Iterator[tuple[UUID, int]]:
    """What the storage has of the ``taken`` segments of each run.

    A segment that was kept and never acknowledged lies beyond the roll: the worker died before it
    shipped it again. It is nobody's loss that was promised to be kept, and no reason to stop.
    """
    prefix = segments_prefix(recording.organisation_id, recording.pk)
    for name in blobs().names(prefix):
        run_text, _, number = name.removeprefix(prefix).partition("/")
        run, sequence = UUID(run_text), int(number)
        if sequence < taken.get(run, 0):
            yield run, sequence
