"""Sealed segments on disk: whole or not there, bounded; what else lies there harms nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from foundation.sealing.records import Opening
from foundation.sealing.runs import RunWriter
from foundation.sealing.segment import describe
from media_worker.recorder.segments import _SEGMENT_BYTES
from media_worker.recorder.spool import Kept, Spool, SpoolTaken
from tests.media_worker.harness import ROOT

LIMIT = 1 << 20


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool", LIMIT)
    yield spool
    spool.close()


def again(spool: Spool, tmp_path: Path) -> Spool:
    spool.close()
    return Spool(tmp_path / "spool", LIMIT)


def put(spool: Spool, kept: Kept, segment: bytes) -> None:
    assert spool.reserve(len(segment))
    spool.put(kept, segment, len(segment))


def some(sequence: int = 0) -> Kept:
    return Kept(uuid.UUID(int=1), uuid.UUID(int=2), sequence)


def test_what_was_put_is_read_back_and_gone_when_it_was_removed(spool, tmp_path):
    put(spool, some(), b"sealed")
    assert spool.read(some()) == b"sealed"
    assert spool.kept_bytes == 6
    spool.remove(some())
    assert spool.kept_bytes == 0
    assert [path.name for path in (tmp_path / "spool").iterdir() if path.is_file()] == [".lock"]


def test_only_this_user_may_look_inside(tmp_path):
    (tmp_path / "spool").mkdir(mode=0o755)
    os.chmod(tmp_path / "spool", 0o755)
    spool = Spool(tmp_path / "spool", LIMIT)
    put(spool, some(), b"sealed")
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "spool" / some().name).stat().st_mode & 0o777 == 0o600
    spool.close()


def test_the_next_process_finds_everything_in_order(spool, tmp_path):
    runs = [uuid.uuid4() for _ in range(3)]
    names = [Kept(uuid.UUID(int=1), run, n) for run in runs for n in (11, 2, 100, 1)]
    for kept in names:
        put(spool, kept, b"x" * 10)
    spool = again(spool, tmp_path)
    assert spool.found == sorted(names)
    assert [k.sequence for k in spool.found if k.run == runs[0]] == [1, 2, 11, 100]
    assert spool.kept_bytes == 120


def test_two_workers_do_not_share_a_spool(spool, tmp_path):
    with pytest.raises(SpoolTaken, match="CONSILIUM_WORKER_SPOOL"):
        Spool(tmp_path / "spool", LIMIT)


def test_what_is_no_segment_is_put_aside(spool, tmp_path):
    here = tmp_path / "spool"
    put(spool, some(), b"sealed")
    (here / "notes.txt").write_text("hello")
    (here / f"{uuid.uuid4()}.segment").write_bytes(b"")
    (here / some(3).name.upper()).write_bytes(b"x")
    (here / some(4).name).mkdir()
    (here / some(5).name).symlink_to("/etc/hostname")
    (here / "a directory").mkdir()
    os.mkfifo(here / some(6).name)
    spool = again(spool, tmp_path)
    assert spool.found == [some()]
    assert len(list((here / "aside").iterdir())) == 7
    assert again(spool, tmp_path).found == [some()]


def test_a_full_spool_takes_the_end_of_a_run_and_nothing_more(spool):
    size = 100_000
    count = 0
    while spool.reserve(size):
        put_size = size
        spool.put(some(count), bytes(put_size), size)
        count += 1
    assert spool.kept_bytes <= LIMIT
    assert count == 9
    assert not spool.is_roomy
    assert not spool.reserve(size)
    while spool.reserve(1_000, has_frames=False):
        pass
    assert LIMIT - 1_000 < spool.kept_bytes <= LIMIT


def test_room_that_was_reserved_is_free_again_when_the_disk_refuses(spool, tmp_path):
    put(spool, some(0), b"sealed")
    assert spool.reserve(100)
    (tmp_path / "spool" / (some(1).name + ".draft")).mkdir()
    with pytest.raises(IsADirectoryError):
        spool.put(some(1), b"x" * 50, 100)
    assert spool.kept_bytes == 6


def test_what_was_put_aside_is_bounded(spool, tmp_path):
    for number in range(20):
        put(spool, some(number), bytes(50_000))
        spool.put_aside(some(number))
        os.utime(tmp_path / "spool" / "aside" / some(number).name, (number, number))
    left = sorted(path.name for path in (tmp_path / "spool" / "aside").iterdir())
    assert left == [some(number).name for number in range(15, 20)]
    assert spool.kept_bytes == 0


WRITER = """
import sys, uuid
from pathlib import Path
from foundation.sealing.records import Frame, Opening, Source, Kind, Codec
from foundation.sealing.runs import RunWriter
from media_worker.recorder.spool import Kept, Spool

spool = Spool(Path(sys.argv[1]), 1 << 30)
run = RunWriter(uuid.uuid4(), uuid.uuid4(), bytes.fromhex(sys.argv[2]))
source = Source(0, uuid.uuid4(), Kind.CAMERA, Codec.VP8)
while True:
    frames = [Frame(0, True, 0, 0, 0, 1, bytes(1 << 20)) for _ in range(4)]
    kept = Kept(run.recording, run.run, run.sequence)
    segment = run.seal([Opening(0, 0, 0), source, *frames])
    assert spool.reserve(len(segment))
    print(kept.sequence, flush=True)
    spool.put(kept, segment, len(segment))
"""


@pytest.mark.parametrize("after", range(4))
def test_a_writer_killed_in_the_middle_leaves_whole_segments_and_no_drafts(tmp_path, after):
    public = X25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "spool"), public],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)])},
    )
    assert process.stdout is not None
    begun = -1
    while begun < after:
        begun = int(process.stdout.readline())
    # It says so before it writes four megabytes; a draft is there for most of that time.
    drafts = tmp_path / "spool"
    while not list(drafts.glob("*.draft")) and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    spool = Spool(tmp_path / "spool", 1 << 30)
    assert [kept.sequence for kept in spool.found] == list(range(len(spool.found)))
    assert len(spool.found) >= after
    for kept in spool.found:
        assert describe(spool.read(kept)).sequence == kept.sequence
    assert not list(drafts.glob("*.draft"))
    assert not list((drafts / "aside").iterdir())
    spool.close()


def test_a_sealed_segment_fits_into_the_room_that_is_reserved_for_it():
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    run = RunWriter(uuid.uuid4(), uuid.uuid4(), public)
    assert len(run.seal([Opening(0, 0, 0)])) < _SEGMENT_BYTES - 6 * 24
