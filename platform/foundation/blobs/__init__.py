"""Blobs: named bytes that are written once, kept for as long as was promised, and read in ranges.

Two storages keep them behind one interface, ``Blobs``: a directory (``local``) and an S3 bucket
with versions and Object Lock (``s3``). ``opening.blobs_from`` makes either from a URL.

A **name** is a path that the program made up, such as ``recordings/7f3a/segments/0001-000042``
(``names.py``); nothing of a person belongs in it. A name is written once: the same bytes again are
fine, so a task may be repeated; other bytes are refused. One name is never the folder of another.

A **retention** is a moment until which a blob cannot be deleted by anybody. It can be moved
forward and never back. Moments are kept in whole seconds, rounded up. In a bucket it is Object
Lock in COMPLIANCE mode, and binds everybody who talks to the storage; in a directory it binds this
program alone.

What was given is **durable** when the call returns, and what was cut off in the middle is under no
name. What arrives is not checked here beyond what the transport does: whoever says "stored" reads
back and compares (``Stored.sha256``).

Everything is synchronous: call it from a thread or a task. Every attempt, wait and repetition is
bounded, after which there is ``BlobsUnavailable``. The errors below are the only ones, and repeat
neither a secret nor what a library said.

Nobody but the platform's own processes has a use for this: the media worker must not import it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class BlobsError(Exception):
    """The message is one line that may stand in a log."""


class BlobMissing(BlobsError):
    """There is nothing under this name."""


class BlobExists(BlobsError):
    """There are other bytes under this name already."""


class BlobLocked(BlobsError):
    """A retention forbids it."""


class BlobsUnavailable(BlobsError):
    """The storage is away, full, or fails. Worth another try later."""


class BlobsRefused(BlobsError):
    """The storage answers and does not let us: keys, rights or settings are wrong.

    Another try changes nothing; somebody has to act.
    """


@dataclass(frozen=True, slots=True)
class Stored:
    """What was given to ``upload``: its length and SHA-256 (hex), computed on this side."""

    size: int
    sha256: str


class Blobs(Protocol):
    """A storage. Wrong names, ranges and moments without a zone are ``ValueError``."""

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data``, which fits in memory, without retention. ``BlobExists``."""
        ...

    def upload(
        self, name: str, pieces: Iterable[bytes], *, retain_until: datetime | None
    ) -> Stored:
        """Keep what ``pieces`` add up to, in bounded memory. ``BlobExists``.

        If the name is there already, ``pieces`` are compared with it, and a retention that is
        shorter is extended. One name is uploaded by one process at a time. What ``pieces`` raises
        ends the upload and goes through.
        """
        ...

    def read(self, name: str, start: int, end: int) -> bytes:
        """The bytes from ``start`` up to ``end``; fewer where the blob ends. ``BlobMissing``."""
        ...

    def size(self, name: str) -> int:
        """In bytes. ``BlobMissing``."""
        ...

    def names(self, prefix: str = "") -> Iterator[str]:
        """All names that begin with these characters, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Nothing is left of it, no older version either; fine if there was nothing.

        ``BlobLocked`` while a retention holds; then everything is as it was.
        """
        ...

    def retain(self, name: str, until: datetime) -> None:
        """Forbid deletion until then. An earlier moment than the present one is ``BlobLocked``."""
        ...

    def retained_until(self, name: str) -> datetime | None:
        """The moment of its retention, also when it has passed. ``BlobMissing``."""
        ...

    def forget_abandoned(self, older_than: timedelta) -> int:
        """Remove what interrupted uploads of that age have left; returns how many."""
        ...

    def ensure_ready(self) -> None:
        """Return if all of the above can be kept; ``BlobsRefused`` says what has to be done."""
        ...
