"""Sealed segments on disk, from the moment they are sealed until the platform has them.

One directory, readable by this user alone. A segment is written under a temporary name, made
durable and then given its own, so a file with a segment's name is a whole segment, whenever the
worker was killed. What is no segment, and what the platform did not want, is put aside and never
looked at again.

All is bounded: ``limit`` for what is to be shipped, a quarter of it for what was put aside.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

LOG = logging.getLogger("media_worker.recorder")

_NAME = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{10})\.segment"
)
_DRAFT: Final = ".draft"

#: Of the limit, kept free for segments without frames: the end of a run fits into a full spool.
_RESERVE: Final = 1 / 16

#: A full spool is used again when it has shrunk to this: not for a single second of recording.
_ROOMY: Final = 3 / 4


class SpoolTaken(OSError):
    """Another worker uses this directory."""


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """Names one segment in the spool."""

    recording: UUID
    run: UUID
    sequence: int

    @property
    def name(self) -> str:
        return f"{self.recording}.{self.run}.{self.sequence:010}.segment"


class Spool:
    """``put`` is called by sealing threads, everything else by the event loop.

    Raises OSError, and SpoolTaken, if ``directory`` cannot be used.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory = directory
        self._aside = directory / "aside"
        self._limit = limit
        self._lock = threading.Lock()
        self._bytes = 0
        for one in (self._directory, self._aside):
            one.mkdir(mode=0o700, parents=True, exist_ok=True)
            one.chmod(0o700)
        self._held = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._held)
            raise SpoolTaken("another worker uses the same CONSILIUM_WORKER_SPOOL") from None
        self._found = self._look_around()

    def close(self) -> None:
        """Another process may use the directory."""
        os.close(self._held)

    @property
    def found(self) -> list[Kept]:
        """What lay here when this process began, in order."""
        return self._found

    @property
    def kept_bytes(self) -> int:
        """What is kept to be shipped."""
        return self._bytes

    @property
    def is_roomy(self) -> bool:
        """Whether somebody who was told that it is full may begin again."""
        return self._bytes <= self._limit * _ROOMY

    def reserve(self, size: int, *, has_frames: bool = True) -> bool:
        """Holds room for ``size`` bytes, if there is; without frames there is a little longer."""
        usable = int(self._limit * (1 - _RESERVE)) if has_frames else self._limit
        with self._lock:
            if self._bytes + size > usable:
                return False
            self._bytes += size
            return True

    def release(self, size: int) -> None:
        """What was reserved is not needed."""
        with self._lock:
            self._bytes -= size

    def put(self, kept: Kept, segment: bytes, reserved: int) -> None:
        """Keeps ``segment`` in the room ``reserved`` for it; when this returns, it is durable.

        Raises OSError; the room is free again then.
        """
        with self._lock:
            self._bytes += len(segment) - reserved
        draft = self._directory / (kept.name + _DRAFT)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
                file.write(segment)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self._directory / kept.name)
            self._sync()
        except OSError:
            self.release(len(segment))
            draft.unlink(missing_ok=True)
            raise

    def read(self, kept: Kept) -> bytes:
        """The segment. Raises OSError if somebody took it away."""
        return (self._directory / kept.name).read_bytes()

    def remove(self, kept: Kept) -> None:
        """The platform has it."""
        path = self._directory / kept.name
        self._forget(path)
        path.unlink(missing_ok=True)

    def put_aside(self, kept: Kept) -> None:
        """It is not shipped any more, but an operator may want to look at it."""
        path = self._directory / kept.name
        self._forget(path)
        self._move_aside(path)

    # ---------------------------------------------------------------- inside

    def _look_around(self) -> list[Kept]:
        found: list[Kept] = []
        for path in sorted(self._directory.iterdir()):
            if path in {self._aside, self._directory / ".lock"}:
                continue
            if path.name.endswith(_DRAFT) and path.is_file() and not path.is_symlink():
                path.unlink()  # its writer was killed; nobody was told that it is kept
                continue
            name = _NAME.fullmatch(path.name)
            if name is None or path.is_symlink() or not path.is_file():
                LOG.warning("something in the spool that is no segment was put aside")
                self._move_aside(path)
                continue
            found.append(Kept(UUID(name[1]), UUID(name[2]), int(name[3])))
            self._bytes += path.stat().st_size
        return sorted(found)

    def _forget(self, path: Path) -> None:
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return
        self.release(size)

    def _move_aside(self, path: Path) -> None:
        try:
            target = self._aside / path.name
            number = 0
            while target.is_symlink() or target.exists():
                number += 1
                target = self._aside / f"{path.name}.{number}"
            path.rename(target)
            self._bound_aside()
        except OSError as error:
            LOG.warning("a file of the spool could not be put aside: %s", type(error).__name__)

    def _bound_aside(self) -> None:
        """Deletes the oldest of what was put aside, beyond its share."""
        files = [path for path in self._aside.iterdir() if path.is_file()]
        sizes = {path: path.lstat() for path in files}
        total = sum(stat.st_size for stat in sizes.values())
        for path in sorted(files, key=lambda path: sizes[path].st_mtime):
            if total <= self._limit // 4:
                return
            total -= sizes[path].st_size
            path.unlink()
            LOG.warning("a segment that had been put aside was deleted: too many of them")

    def _sync(self) -> None:
        handle = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
