"""What every storage promises, against each of them."""

from __future__ import annotations

import hashlib
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import pytest

from foundation.blobs import BlobExists, BlobLocked, BlobMissing, Blobs, BlobsError, Stored
from tests.foundation.blobs.conftest import PART_BYTES
from tests.servers.processes import wait_for

NAME = "recordings/7f3a/segments/0001-000042"


def soon(**more: float) -> datetime:
    return datetime.now(UTC) + timedelta(**more)


def content(blobs: Blobs, name: str = NAME) -> bytes:
    return blobs.read(name, 0, blobs.size(name))


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 1000])
def test_what_was_put_is_read(blobs, data):
    blobs.put(NAME, data)
    assert blobs.size(NAME) == len(data)
    assert content(blobs) == data


def test_the_same_bytes_may_be_put_again(blobs):
    blobs.put(NAME, b"one")
    blobs.put(NAME, b"one")
    assert content(blobs) == b"one"


@pytest.mark.parametrize("other", [b"two", b"", b"one and more", b"on"])
def test_other_bytes_are_refused_under_a_name(blobs, other):
    blobs.put(NAME, b"one")
    with pytest.raises(BlobExists):
        blobs.put(NAME, other)
    assert content(blobs) == b"one"


@pytest.mark.parametrize("other", [b"two", b"", b"one and more", b"on"])
def test_other_bytes_are_not_uploaded_over_a_blob(blobs, other):
    blobs.upload(NAME, [b"one"], retain_until=None)
    with pytest.raises(BlobExists):
        blobs.upload(NAME, [other] if other else [], retain_until=None)
    assert content(blobs) == b"one"


def test_of_several_who_put_at_once_one_wins_and_the_others_are_refused(blobs):
    told: list[tuple[bytes, object]] = []
    ready = threading.Barrier(6)

    def put(data: bytes) -> None:
        ready.wait(10)
        try:
            blobs.put(NAME, data)
        except BlobsError as error:
            told.append((data, type(error)))
        else:
            told.append((data, None))

    threads = [threading.Thread(target=put, args=(b"%d" % n * 1000,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    winners = [data for data, error in told if error is None]
    assert len(told) == 6
    assert winners == [content(blobs)]
    assert [error for _, error in told if error is not None] == [BlobExists] * 5


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (0, 10, b"0123456789"),
        (3, 5, b"34"),
        (9, 10, b"9"),
        (4, 4, b""),
        (8, 100, b"89"),
        (10, 20, b""),
        (100, 2**62, b""),
        (0, 2**62, b"0123456789"),
    ],
)
def test_a_range_is_what_lies_within_the_blob(blobs, start, end, found):
    blobs.put(NAME, b"0123456789")
    assert blobs.read(NAME, start, end) == found


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (-5, -2)])
def test_what_is_no_range_is_refused(blobs, start, end):
    blobs.put(NAME, b"0123456789")
    with pytest.raises(ValueError, match="range"):
        blobs.read(NAME, start, end)


def test_what_is_not_there_is_missing(blobs):
    for missing in ("recordings/8", "recordings", "recordings/7f3a/x/y"):
        with pytest.raises(BlobMissing):
            blobs.read(missing, 0, 1)
        with pytest.raises(BlobMissing):
            blobs.read(missing, 0, 0)
        with pytest.raises(BlobMissing):
            blobs.size(missing)
        with pytest.raises(BlobMissing):
            blobs.retained_until(missing)
        with pytest.raises(BlobMissing):
            blobs.retain(missing, soon(hours=1))
        blobs.delete(missing)


def test_what_is_deleted_is_gone_and_its_name_free(blobs):
    blobs.put(NAME, b"one")
    blobs.delete(NAME)
    with pytest.raises(BlobMissing):
        blobs.size(NAME)
    assert list(blobs.names()) == []
    blobs.delete(NAME)
    blobs.put(NAME, b"two")
    assert content(blobs) == b"two"


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/./b", ".hidden", "a/.hidden", "-a",
        "a b", "a\n", "a\0", "ä", "a\\b", "a%2Fb", "a?b", "a" * 121, "/".join(["a" * 100] * 6),
    ],
)  # fmt: skip
def test_a_name_that_is_not_ours_is_refused(blobs, name):
    for attempt in (
        lambda: blobs.put(name, b""),
        lambda: blobs.upload(name, [], retain_until=None),
        lambda: blobs.read(name, 0, 0),
        lambda: blobs.size(name),
        lambda: blobs.delete(name),
        lambda: blobs.retain(name, soon(hours=1)),
        lambda: blobs.retained_until(name),
    ):
        with pytest.raises(ValueError, match="name of a blob"):
            attempt()


def test_the_longest_name_fits(blobs):
    name = "/".join(["a" * 120] * 4)
    blobs.put(name, b"one")
    blobs.retain(name, soon(seconds=1))
    assert list(blobs.names()) == [name]


def test_names_are_listed_by_their_beginning_and_sorted(blobs):
    names = ["a-b/c", "a/b", "a/b-c", "a/b.c", "a/bc/d", "a0", "b/c/d", "B/c"]
    for name in names:
        blobs.put(name, b"")
    assert list(blobs.names()) == sorted(names)
    assert list(blobs.names("a/")) == ["a/b", "a/b-c", "a/b.c", "a/bc/d"]
    assert list(blobs.names("a/b")) == ["a/b", "a/b-c", "a/b.c", "a/bc/d"]
    assert list(blobs.names("a")) == sorted(names)[1:-1]
    assert list(blobs.names("b/c/d")) == ["b/c/d"]
    assert list(blobs.names("b/c/d/e")) == []
    assert list(blobs.names("nothing")) == []
    for wrong in ("../", "/", ".", "a/../", "a//"):
        with pytest.raises(ValueError, match="name"):
            blobs.names(wrong)


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0],
        [1],
        [PART_BYTES],
        [PART_BYTES - 1, 1, 1],
        [1 << 16] * 100 + [7],
        [2 * PART_BYTES + 3, 0, 5],
    ],
    ids=lambda sizes: f"{len(sizes)}-{sum(sizes)}",
)
def test_an_upload_is_its_pieces_in_their_order(blobs, sizes):
    pieces = [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    stored = blobs.upload(NAME, iter(pieces), retain_until=None)
    whole = b"".join(pieces)
    assert stored == Stored(len(whole), hashlib.sha256(whole).hexdigest())
    assert content(blobs) == whole
    assert blobs.upload(NAME, iter(pieces), retain_until=None) == stored
    assert blobs.retained_until(NAME) is None


def test_an_upload_takes_little_memory(blobs):
    piece = b"\1" * (1 << 18)
    tracemalloc.start()
    try:
        stored = blobs.upload(NAME, (piece for _ in range(200)), retain_until=None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert stored.size == 200 << 18
    assert peak < 4 * PART_BYTES


def test_an_upload_whose_source_fails_leaves_nothing(blobs):
    class SourceGone(OSError):
        pass

    def pieces():
        yield b"x" * (PART_BYTES + 1)
        raise SourceGone

    with pytest.raises(SourceGone):
        blobs.upload(NAME, pieces(), retain_until=None)
    with pytest.raises(BlobMissing):
        blobs.size(NAME)
    assert list(blobs.names()) == []
    assert blobs.forget_abandoned(timedelta(0)) == 0
    blobs.upload(NAME, [b"whole"], retain_until=None)
    assert content(blobs) == b"whole"


def test_a_retained_blob_is_not_deleted_before_its_time(blobs):
    until = soon(seconds=2)
    blobs.upload(NAME, [b"one"], retain_until=until)
    with pytest.raises(BlobLocked):
        blobs.delete(NAME)
    assert content(blobs) == b"one"

    def is_deleted() -> bool:
        try:
            blobs.delete(NAME)
        except BlobLocked:
            return False
        return True

    wait_for(is_deleted, "the end of the retention")
    assert datetime.now(UTC) >= until
    assert list(blobs.names()) == []


def test_a_retention_is_kept_in_whole_seconds_and_never_shorter(blobs):
    until = datetime(2041, 3, 4, 5, 6, 7, 1, tzinfo=timezone(timedelta(hours=2)))
    blobs.upload(NAME, [b"one"], retain_until=until)
    assert blobs.retained_until(NAME) == datetime(2041, 3, 4, 3, 6, 8, tzinfo=UTC)


def test_a_retention_moves_forward_only(blobs):
    blobs.put(NAME, b"one")
    assert blobs.retained_until(NAME) is None
    first = soon(hours=1).replace(microsecond=0)
    blobs.retain(NAME, first)
    blobs.retain(NAME, first)
    for shorter in (first - timedelta(seconds=1), soon(seconds=-10)):
        with pytest.raises(BlobLocked):
            blobs.retain(NAME, shorter)
    assert blobs.retained_until(NAME) == first
    blobs.retain(NAME, first + timedelta(days=1))
    assert blobs.retained_until(NAME) == first + timedelta(days=1)
    with pytest.raises(BlobLocked):
        blobs.delete(NAME)


def test_an_upload_again_extends_the_retention_and_never_shortens_it(blobs):
    first = soon(hours=1).replace(microsecond=0)
    blobs.upload(NAME, [b"one"], retain_until=None)
    blobs.upload(NAME, [b"one"], retain_until=first)
    assert blobs.retained_until(NAME) == first
    blobs.upload(NAME, [b"one"], retain_until=first - timedelta(minutes=5))
    blobs.upload(NAME, [b"one"], retain_until=None)
    assert blobs.retained_until(NAME) == first


def test_a_moment_that_means_nothing_is_refused(blobs):
    blobs.put("a", b"one")
    for wrong in (datetime(2041, 1, 1), soon(seconds=-5)):  # noqa: DTZ001
        with pytest.raises(ValueError, match="retention"):
            blobs.upload(NAME, [b"one"], retain_until=wrong)
        with pytest.raises(ValueError, match="retention"):
            blobs.retain("a", wrong)
    with pytest.raises(BlobMissing):
        blobs.size(NAME)


def test_a_storage_is_ready_before_and_after_its_first_blob(blobs):
    blobs.ensure_ready()
    blobs.put(NAME, b"one")
    blobs.ensure_ready()
    assert list(blobs.names()) == [NAME]


def test_young_uploads_are_not_abandoned(blobs):
    def pieces():
        yield b"x" * (PART_BYTES + 1)
        assert blobs.forget_abandoned(timedelta(hours=1)) == 0
        yield b"y"

    assert blobs.upload(NAME, pieces(), retain_until=None).size == PART_BYTES + 2
