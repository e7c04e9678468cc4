"""What is given a second time under one name: the same bytes are fine, others are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from foundation.blobs import BlobExists, Blobs, Stored


class Measure:
    """Counts and digests what passes."""

    def __init__(self) -> None:
        self._size = 0
        self._digest = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        self._size += len(piece)
        self._digest.update(piece)

    @property
    def stored(self) -> Stored:
        return Stored(self._size, self._digest.hexdigest())


def given_again(
    blobs: Blobs, name: str, pieces: Iterable[bytes], retain_until: datetime | None = None
) -> Stored:
    """``pieces`` are what is there. Raises ``BlobExists``; extends a retention that is shorter."""
    measure, at = Measure(), 0
    for piece in pieces:
        if blobs.read(name, at, at + len(piece)) != piece:
            raise BlobExists("other bytes are kept under this name")
        measure.add(piece)
        at += len(piece)
    if at != blobs.size(name):
        raise BlobExists("more bytes are kept under this name")
    if retain_until is not None:
        present = blobs.retained_until(name)
        if present is None or present < retain_until:
            blobs.retain(name, retain_until)
    return measure.stored
