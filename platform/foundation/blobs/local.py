"""Blobs in a directory, for one machine.

A blob is a file of its name. It is written under ``.partial``, flushed to the disk and linked to
its name, so that a name holds all of it or does not exist, and is never overwritten. Retentions
are small files of the same names under ``.retained``.

**A retention binds this program alone**: whoever may write in the directory can delete the files.
A bucket with Object Lock is what binds everybody.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from foundation.blobs import (
    BlobExists,
    BlobLocked,
    BlobMissing,
    BlobsError,
    BlobsRefused,
    BlobsUnavailable,
    Stored,
)
from foundation.blobs.names import (
    checked_future,
    checked_moment,
    checked_name,
    checked_prefix,
    checked_range,
)
from foundation.blobs.repetition import Measure, given_again

_COMPARED_BYTES = 1 << 20


class LocalBlobs:
    """See the module. Several processes may use one directory."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._partial = root / ".partial"
        self._retained = root / ".retained"

    def __repr__(self) -> str:
        return f"LocalBlobs({str(self._root)!r})"

    def put(self, name: str, data: bytes) -> None:
        self.upload(name, [data], retain_until=None)

    def upload(
        self, name: str, pieces: Iterable[bytes], *, retain_until: datetime | None
    ) -> Stored:
        path = self._path(name)
        until = checked_future(retain_until) if retain_until is not None else None
        if path.is_file():
            return self._given_again(name, pieces, until)
        measure = Measure()
        with self._written() as (file, partial):
            for piece in pieces:
                with _os_errors():
                    _write(file, piece)
                measure.add(piece)
            if self._link(partial, file, name, until):
                return measure.stored
            # Somebody was quicker while we wrote.
            with _os_errors():
                file.seek(0)
            return self._given_again(name, iter(lambda: file.read(_COMPARED_BYTES), b""), until)

    def _given_again(self, name: str, pieces: Iterable[bytes], until: datetime | None) -> Stored:
        stored = given_again(
            pieces, self.size(name), lambda start, end: self.read(name, start, end)
        )
        present = self.retained_until(name)
        if until is not None and (present is None or present < until):
            self.retain(name, until)
        return stored

    def _link(self, partial: Path, file: FileIO, name: str, until: datetime | None) -> bool:
        """Give the file its name, for good. False when the name is taken by another blob."""
        path = self._root / name
        with _os_errors():
            os.fsync(file.fileno())
            with self._alone():
                if path.is_dir():
                    raise BlobExists("the name is a folder of other blobs")
                if path.exists():
                    return False
                with suppress(NotADirectoryError):
                    _make_folders(path.parent)
                if not path.parent.is_dir():
                    raise BlobExists("a folder of the name is a blob")
                # First what forbids deletion: there is no blob that waits for its own.
                self._keep_moment(name, until)
                os.link(partial, path)
                _flush_folder(path.parent)
                return True

    def read(self, name: str, start: int, end: int) -> bytes:
        checked_range(start, end)
        with _os_errors(), self._opened(name) as file:
            end = min(end, os.fstat(file.fileno()).st_size)  # as much memory as is needed
            file.seek(start)
            return file.read(max(0, end - start))

    def size(self, name: str) -> int:
        with _os_errors():
            return self._file(name).stat().st_size

    def names(self, prefix: str = "") -> Iterator[str]:
        folder, _, _ = checked_prefix(prefix).rpartition("/")
        below = _files(self._root / folder, f"{folder}/" if folder else "")
        return (name for name in below if name.startswith(prefix))

    def delete(self, name: str) -> None:
        path = self._path(name)
        with _os_errors(), self._alone():
            if not path.is_file():
                return
            until = self._moment(name)
            if until is not None and until > datetime.now(UTC):
                raise BlobLocked(f"it is retained until {until:%Y-%m-%d %H:%M:%S} UTC")
            path.unlink()
            _flush_folder(path.parent)
            (self._retained / name).unlink(missing_ok=True)
            for root in (self._root, self._retained):
                _remove_empty((root / name).parent, root)

    def retain(self, name: str, until: datetime) -> None:
        until = checked_moment(until)
        with _os_errors(), self._alone():
            self._file(name)
            present = self._moment(name)
            if present is not None and until < present:
                raise BlobLocked("a retention cannot be shortened")
            if until != present:
                self._keep_moment(name, checked_future(until))

    def retained_until(self, name: str) -> datetime | None:
        with _os_errors():
            self._file(name)
            return self._moment(name)

    def forget_abandoned(self, older_than: timedelta) -> int:
        """Whoever writes holds a lock on the file, which ends with the process."""
        removed, before = 0, time.time() - older_than.total_seconds()
        with _os_errors():
            for partial in sorted(self._partial.glob("*")):
                with suppress(FileNotFoundError, BlockingIOError), partial.open("r+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if partial.stat().st_mtime < before:
                        partial.unlink()
                        removed += 1
        return removed

    def ensure_ready(self) -> None:
        """Make the directory, and write, lock and link in it."""
        try:
            _make_folders(self._partial)
            with self._written() as (file, partial):
                os.fsync(file.fileno())
                with self._alone():
                    linked = partial.with_suffix(".linked")
                    os.link(partial, linked)
                    linked.unlink()
        except (OSError, BlobsError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise BlobsRefused(
                f"{self._root} cannot hold blobs ({reason}):"
                " it must be a directory of ours, on a file system with hard links"
            ) from None

    def _path(self, name: str) -> Path:
        return self._root / checked_name(name)

    def _file(self, name: str) -> Path:
        """Its path, if it is there."""
        path = self._path(name)
        if not path.is_file():
            raise BlobMissing("there is no blob of this name")
        return path

    def _opened(self, name: str) -> BinaryIO:
        try:
            return self._file(name).open("rb")
        except FileNotFoundError:  # deleted since it was looked at
            raise BlobMissing("there is no blob of this name") from None

    @contextmanager
    def _written(self) -> Iterator[tuple[FileIO, Path]]:
        """A file to write, gone at the end if it got no other name. ``forget_abandoned``: locked.

        Without a buffer, which would be written once more, and fail once more, at the end.
        """
        partial = self._partial / secrets.token_hex(16)
        with _os_errors():
            _make_folders(self._partial)
            file = FileIO(partial, "x+", opener=_owner_only)
        try:
            with _os_errors():
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file, partial
        finally:
            file.close()
            partial.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Between looking and acting nobody else acts. Held for a moment, never while writing."""
        _make_folders(self._root)
        with FileIO(self._root / ".lock", "a", opener=_owner_only) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _moment(self, name: str) -> datetime | None:
        try:
            text = (self._retained / name).read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            # Better kept too long than deleted: somebody has to look.
            raise BlobsRefused("the file of a retention is damaged") from None

    def _keep_moment(self, name: str, until: datetime | None) -> None:
        path = self._retained / name
        if until is None:
            path.unlink(missing_ok=True)  # of a blob that was never finished
            return
        _make_folders(path.parent)
        with self._written() as (file, partial):
            _write(file, until.isoformat().encode())
            os.fsync(file.fileno())
            partial.replace(path)
        _flush_folder(path.parent)


@contextmanager
def _os_errors() -> Iterator[None]:
    """What the operating system says, in our words. Its paths are not repeated."""
    try:
        yield
    except BlobsError:
        raise
    except OSError as error:
        raise BlobsUnavailable(f"the disk: {error.strerror}") from None


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(file: FileIO, data: bytes) -> None:
    """All of it: one call may take less."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _flush_folder(folder: Path) -> None:
    """A new name is on the disk once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folders(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _flush_folder(folder.parent)


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _files(folder: Path, before: str) -> Iterator[str]:
    """Names of all files below, sorted by the whole name as S3 does: ``a-b`` before ``a/b``."""
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in sorted(entries, key=lambda entry: f"{entry.name}{'/' if entry.is_dir() else ''}"):
        if entry.is_dir():
            yield from _files(Path(entry.path), f"{before}{entry.name}/")
        else:
            yield f"{before}{entry.name}"
