"""A run: an unbroken piece of work of one worker on one recording, as a chain of segments.

The worker keeps a ``RunWriter`` for as long as it works without a break; one that was killed begins
a new run. The platform asks ``segment.describe`` of what arrives, and keeps the roll.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

from foundation.sealing import records
from foundation.sealing.segment import NOTHING_BEFORE, digest, seal_segment


class RunWriter:
    """Seals segments in order to a recording's public key (32 bytes)."""

    def __init__(self, organisation: UUID, recording: UUID, public_key: bytes) -> None:
        self.organisation = organisation
        self.recording = recording
        self.run = uuid4()
        #: The number that the next segment gets.
        self.sequence = 0
        #: Whether the last segment was sealed.
        self.is_over = False
        self._public_key = public_key
        self._previous = NOTHING_BEFORE

    def seal(self, content: Iterable[records.Record], *, last: bool = False) -> bytes:
        """The next segment of the run; ``last`` ends it, and its last record is a closing.

        ``ValueError``: the records are not allowed, or the run is over. Nothing has happened then.
        """
        if self.is_over:
            raise ValueError("the run is over")
        segment = seal_segment(
            records.write(content, last=last),
            self._public_key,
            organisation=self.organisation,
            recording=self.recording,
            run=self.run,
            sequence=self.sequence,
            previous=self._previous,
            last=last,
        )
        self._previous = digest(segment)
        self.sequence += 1
        self.is_over = last
        return segment
