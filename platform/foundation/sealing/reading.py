"""Reads a recording's segments against its roll: FORMAT.md section 2, "Reading", in that order.

One segment is in memory at a time. What was given out before an error is what was sealed; but the
recording is whole only when the reader came to its end, and a caller that keeps something must wait
for that.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from foundation.sealing import records
from foundation.sealing.errors import (
    ProtectionMismatch,
    RunUnknown,
    SegmentAfterLast,
    SegmentBeyondRoll,
    SegmentChainBroken,
    SegmentFromAnotherRecording,
    SegmentFromAnotherRun,
    SegmentMisplaced,
    SegmentMissing,
    SegmentRepeated,
    SegmentTampered,
    Where,
    WrongKey,
)
from foundation.sealing.segment import (
    NOTHING_BEFORE,
    SEGMENT_MOST_BYTES,
    SegmentHeader,
    describe,
    digest,
    key_id,
    open_segment,
)

#: For each run, in order, the digests of its segments.
Roll = Sequence[tuple[UUID, Sequence[bytes]]]

#: (run, sequence, most): the segment's first ``most`` bytes, or nothing if it is not there.
Fetch = Callable[[UUID, int, int], bytes | None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A segment that passed every check."""

    run: UUID
    sequence: int
    records: tuple[records.Record, ...]


class SegmentsReader:
    """Iterating gives every segment as ``Opened``, run by run; ``unfinished`` is complete after it.

    ``protection``: whether the recording's frames are under SFrame. ``present``: what the storage
    has, as (run, sequence); asked at the end. Raises what FORMAT.md names.
    """

    def __init__(
        self,
        *,
        organisation: UUID,
        recording: UUID,
        protection: records.Protection,
        private_key: bytes,
        roll: Roll,
        fetch: Fetch,
        present: Callable[[], Iterable[tuple[UUID, int]]],
    ) -> None:
        self._ids = organisation, recording
        self._protection = protection
        self._private_key = X25519PrivateKey.from_private_bytes(private_key)
        self._key_id = key_id(self._private_key.public_key().public_bytes_raw())
        self._roll = roll
        self._fetch = fetch
        self._present = present
        #: Runs whose newest segment is not their last: their worker died.
        self.unfinished: list[UUID] = []

    def __iter__(self) -> Iterator[Opened]:
        self.unfinished = []
        for run, digests in self._roll:
            previous, ended = NOTHING_BEFORE, False
            for sequence, expected in enumerate(digests):
                where: Where = {"run": str(run), "sequence": sequence}
                content, is_last = self._one(run, sequence, expected, previous, ended, where)
                yield Opened(run, sequence, content)
                del content  # or it would stay in memory beside the next one
                previous, ended = expected, is_last
            if not ended:
                self.unfinished.append(run)
        self._refuse_what_the_roll_lacks()

    def _one(
        self,
        run: UUID,
        sequence: int,
        expected: bytes,
        previous: bytes,
        ended: bool,
        where: Where,
    ) -> tuple[tuple[records.Record, ...], bool]:
        """What is in one segment, and whether it is the last of its run."""
        segment, header = self._placed(run, sequence, where)
        if header.key != self._key_id:
            raise WrongKey(where)
        if not hmac.compare_digest(digest(segment), expected):
            raise SegmentTampered(where)
        if ended:
            raise SegmentAfterLast(where)
        if header.previous != previous:
            raise SegmentChainBroken(where)
        return self._opened(segment, header, where), header.last

    def _placed(self, run: UUID, sequence: int, where: Where) -> tuple[bytes, SegmentHeader]:
        """The segment that the storage has under this name, if that is where it belongs."""
        segment = self._fetch(run, sequence, SEGMENT_MOST_BYTES + 1)
        if segment is None:
            raise SegmentMissing(where)
        header = describe(segment, where)
        if (header.organisation, header.recording) != self._ids:
            raise SegmentFromAnotherRecording(where)
        if header.run != run:
            raise SegmentFromAnotherRun(where)
        if header.sequence < sequence:
            raise SegmentRepeated(where)
        if header.sequence != sequence:
            raise SegmentMisplaced(where)
        return segment, header

    def _opened(
        self, segment: bytes, header: SegmentHeader, where: Where
    ) -> tuple[records.Record, ...]:
        plaintext = open_segment(segment, self._private_key, where)
        content = records.read(plaintext, last=header.last, where=where)
        for record in content:
            if isinstance(record, records.Source) and record.protection is not self._protection:
                raise ProtectionMismatch(where)
        return content

    def _refuse_what_the_roll_lacks(self) -> None:
        lengths = {run: len(digests) for run, digests in self._roll}
        for run, sequence in self._present():
            if run not in lengths:
                raise RunUnknown({"run": str(run)})
            if sequence >= lengths[run]:
                raise SegmentBeyondRoll({"run": str(run), "sequence": sequence})
