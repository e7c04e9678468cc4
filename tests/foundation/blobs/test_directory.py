"""What only a directory has: processes that die in the middle, full disks, strange files."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from foundation.blobs import BlobExists, BlobLocked, BlobMissing, BlobsRefused, BlobsUnavailable
from foundation.blobs.local import LocalBlobs
from tests.servers.processes import REPOSITORY

NAME = "recordings/7f3a/film"

#: Writes until it is told no more, as a process of its own.
WRITER = """
import resource, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from foundation.blobs import BlobsUnavailable
from foundation.blobs.local import LocalBlobs

blobs, what = LocalBlobs(Path(sys.argv[1])), sys.argv[2]
piece = b"x" * (1 << 16)

def endless():
    while True:
        yield piece
        print("wrote", flush=True)

if what == "upload":
    blobs.upload("recordings/7f3a/film", endless(), retain_until=datetime.now(UTC) + timedelta(1))
if what == "put":
    n = 0
    while True:
        blobs.put(f"recordings/{n}", piece * 16)
        n += 1
        print("wrote", flush=True)
if what == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    for attempt in (
        lambda: blobs.upload("recordings/7f3a/film", endless(), retain_until=None),
        lambda: blobs.put("recordings/7f3a/segment", piece * 16),
    ):
        try:
            attempt()
        except BlobsUnavailable as error:
            print("error:", error, flush=True)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(root: Path) -> LocalBlobs:
    return LocalBlobs(root)


def writer(root: Path, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, root, what],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "platform")},
        stdout=subprocess.PIPE,
        text=True,
    )


def killed_in_the_middle(root: Path, what: str, pieces: int) -> None:
    process = writer(root, what)
    assert process.stdout is not None
    for _ in range(pieces):
        assert process.stdout.readline() == "wrote\n"
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_killed_upload_leaves_nothing_under_its_name(root, blobs):
    killed_in_the_middle(root, "upload", 20)
    assert list(blobs.names()) == []
    with pytest.raises(BlobMissing):
        blobs.retained_until(NAME)
    assert len(os.listdir(root / ".partial")) == 1
    assert blobs.forget_abandoned(timedelta(hours=1)) == 0
    assert blobs.forget_abandoned(timedelta(0)) == 1
    assert os.listdir(root / ".partial") == []
    blobs.upload(NAME, [b"whole"], retain_until=None)
    assert blobs.retained_until(NAME) is None
    blobs.delete(NAME)


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_whatever_a_killed_process_has_put_is_whole(root, blobs, pieces):
    killed_in_the_middle(root, "put", pieces)
    names = list(blobs.names())
    assert len(names) >= pieces, "what was acknowledged is there"
    assert {blobs.size(name) for name in names} == {1 << 20}


def test_a_full_disk_is_said_and_leaves_nothing(root, blobs):
    process = writer(root, "full")
    said, _ = process.communicate(timeout=60)
    errors = [line for line in said.splitlines() if line.startswith("error")]
    assert errors == ["error: the disk: File too large"] * 2
    assert files(root) <= {".lock"}
    assert list(blobs.names()) == []


def test_an_upload_that_goes_on_is_not_abandoned(root, blobs):
    def pieces():
        yield b"one"
        assert blobs.forget_abandoned(timedelta(0)) == 0

    blobs.upload(NAME, pieces(), retain_until=None)
    assert blobs.size(NAME) == 3


def test_everything_is_for_its_owner_only(root, blobs):
    blobs.upload(NAME, [b"one"], retain_until=datetime.now(UTC) + timedelta(hours=1))
    for path in [root, *root.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_name_is_not_also_a_folder(blobs):
    blobs.put("a/b", b"one")
    for name in ("a", "a/b/c", "a/b/c/d"):
        with pytest.raises(BlobExists):
            blobs.put(name, b"two")
        with pytest.raises(BlobMissing):
            blobs.size(name)
        blobs.delete(name)
    assert list(blobs.names()) == ["a/b"]


def test_deletion_takes_empty_folders_and_old_retentions_along(root, blobs):
    blobs.put("a/b/c", b"one")
    blobs.put("a/d", b"two")
    blobs.retain("a/b/c", datetime.now(UTC) + timedelta(hours=1))
    (root / ".retained/a/b/c").write_text("2001-01-01T00:00:00+00:00")
    blobs.delete("a/b/c")
    assert files(root) == {".lock", "a/d"}
    assert not (root / "a/b").exists()
    assert not (root / ".retained/a").exists()


@pytest.mark.parametrize("text", ["", "soon", "\0", "2041-13-01T00:00:00+00:00"])
def test_a_damaged_retention_forbids_deletion(root, blobs, text):
    blobs.upload(NAME, [b"one"], retain_until=datetime.now(UTC) + timedelta(hours=1))
    (root / ".retained" / NAME).write_text(text)
    with pytest.raises(BlobsRefused, match="damaged"):
        blobs.delete(NAME)
    assert blobs.size(NAME) == 3


def test_two_programs_share_one_directory(root, blobs):
    blobs.upload(NAME, [b"one"], retain_until=datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(BlobLocked):
        LocalBlobs(root).delete(NAME)


@pytest.mark.parametrize("where", ["/proc/consilium", "/dev/null/blobs", __file__])
def test_a_directory_that_cannot_be_is_said(where):
    with pytest.raises(BlobsRefused, match=r"cannot hold blobs \([A-Z]"):
        LocalBlobs(Path(where)).ensure_ready()
    with pytest.raises(BlobsUnavailable):
        LocalBlobs(Path(where)).put(NAME, b"one")
