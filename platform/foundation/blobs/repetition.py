"""What is given a second time under one name: the same bytes are fine, others are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from foundation.blobs import BlobExists, Stored


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
    pieces: Iterable[bytes], kept_bytes: int, read: Callable[[int, int], bytes]
) -> Stored:
    """``pieces`` are what is kept, of which ``read`` gives ranges. Raises ``BlobExists``."""
    measure, at = Measure(), 0
    for piece in pieces:
        if piece and read(at, at + len(piece)) != piece:
            raise BlobExists("other bytes are kept under this name")
        measure.add(piece)
        at += len(piece)
    if at != kept_bytes:
        raise BlobExists("more bytes are kept under this name")
    return measure.stored
