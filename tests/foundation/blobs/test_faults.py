"""The network between us and the bucket fails: what is sent again, and what is said."""

from __future__ import annotations

import hashlib
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from foundation.blobs import BlobExists, BlobMissing, BlobsUnavailable
from foundation.blobs.s3 import S3Blobs
from tests.foundation.blobs.conftest import PART_BYTES, PATIENCE
from tests.servers.meddler import Answer, Corrupt, CorruptAnswer, Cut, CutAnswer, Hold
from tests.servers.processes import free_ports

NAME = "recordings/7f3a/film"
FILM = bytes(range(256)) * (PART_BYTES * 5 // 2 // 256)  # two parts and a half
PART_2 = r"^PUT .*partNumber=2"


@pytest.fixture
def blobs(storage, meddler) -> S3Blobs:
    return storage.impatient(meddler.port)


def in_an_hour() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


@pytest.mark.parametrize(
    "mischief",
    [Cut(PART_BYTES // 2), CutAnswer(), Answer(), Answer("500 Oops"), Hold(), Corrupt(12_345)],
    ids=repr,
)
def test_a_part_that_fails_is_sent_again_and_no_other(storage, blobs, meddler, mischief):
    meddler.meddle(PART_2, mischief)
    until = in_an_hour()
    stored = blobs.upload(NAME, [FILM], retain_until=until)
    assert meddler.is_done
    assert [meddler.came(f"partNumber={n}") for n in (1, 2, 3)] == [1, 2, 1]
    assert stored.sha256 == hashlib.sha256(FILM).hexdigest()
    whole = storage.blobs().read(NAME, 0, len(FILM) + 1)
    assert hashlib.sha256(whole).hexdigest() == stored.sha256
    assert storage.blobs().retained_until(NAME) == until
    assert storage.unfinished() == []


@pytest.mark.parametrize("step", [r"^POST .*uploads", r"^POST .*uploadId="])
@pytest.mark.parametrize("mischief", [CutAnswer(), Answer()], ids=repr)
def test_the_beginning_and_the_end_of_an_upload_may_fail_once(
    storage, blobs, meddler, step, mischief
):
    """Also when the storage did it and its answer was lost."""
    meddler.meddle(step, mischief)
    blobs.upload(NAME, [FILM], retain_until=in_an_hour())
    assert meddler.is_done
    assert len(storage.versions(NAME)) == 1
    assert storage.blobs().read(NAME, 0, len(FILM)) == FILM


def test_a_put_whose_answer_is_lost_is_there_once(storage, blobs, meddler):
    meddler.meddle("^PUT", CutAnswer())
    blobs.put(NAME, b"one")
    assert meddler.came("^PUT") == 2
    assert len(storage.versions(NAME)) == 1
    with pytest.raises(BlobExists):
        blobs.put(NAME, b"two")


def test_bytes_changed_on_their_way_are_not_taken(storage, blobs, meddler):
    meddler.meddle("^PUT", Corrupt(1))
    blobs.put(NAME, b"one")
    assert meddler.came("^PUT") == 2
    assert storage.blobs().read(NAME, 0, 10) == b"one"
    assert len(storage.versions(NAME)) == 1


def test_bytes_changed_on_their_way_back_are_noticed_by_their_digest(storage, blobs, meddler):
    """Without TLS nothing else would: this is why what was stored is read back and compared."""
    stored = blobs.upload(NAME, [FILM], retain_until=None)
    meddler.meddle("^GET", CorruptAnswer(1_000_000))
    assert hashlib.sha256(blobs.read(NAME, 0, len(FILM))).hexdigest() != stored.sha256
    assert hashlib.sha256(blobs.read(NAME, 0, len(FILM))).hexdigest() == stored.sha256


def test_an_answer_that_breaks_off_is_asked_for_anew(blobs, meddler):
    blobs.put(NAME, FILM)
    meddler.meddle("^GET", CutAnswer(1_000_000))
    assert blobs.read(NAME, 0, len(FILM)) == FILM
    assert meddler.came("^GET [^?]*film ") == 2


def test_a_listing_goes_on_where_an_answer_was_lost(storage, meddler):
    names = [f"n/{n:02}" for n in range(11)]
    for name in names:
        storage.cover(name, b"")
    bucket = replace(storage.bucket, endpoint=f"http://127.0.0.1:{meddler.port}")
    listing = S3Blobs(bucket, patience=PATIENCE, page_names=5).names("n/")
    listed = [next(listing)]
    meddler.meddle("^GET", CutAnswer())
    listed += listing
    assert meddler.is_done
    assert listed == names


def test_an_upload_that_fails_for_good_leaves_nothing(storage, blobs, meddler):
    meddler.meddle(PART_2, Answer(), times=PATIENCE.attempts)
    with pytest.raises(BlobsUnavailable, match="503"):
        blobs.upload(NAME, [FILM], retain_until=in_an_hour())
    with pytest.raises(BlobMissing):
        blobs.size(NAME)
    assert storage.versions(NAME) == []
    assert storage.unfinished() == []
    blobs.upload(NAME, [FILM], retain_until=None)
    assert blobs.size(NAME) == len(FILM)


@pytest.mark.parametrize("mischief", [Answer(), Cut(0)], ids=repr)
def test_a_storage_that_is_away_is_said_within_bounds(storage, blobs, meddler, mischief):
    blobs.put("there", b"one")
    for attempt in (
        lambda: blobs.put(NAME, b"one"),
        lambda: blobs.read("there", 0, 1),
        lambda: blobs.size("there"),
        lambda: list(blobs.names()),
        lambda: blobs.retained_until("there"),
        lambda: blobs.delete("there"),
        blobs.ensure_ready,
    ):
        began = time.monotonic()
        meddler.meddle("", mischief, times=PATIENCE.attempts)
        with pytest.raises(BlobsUnavailable) as caught:
            attempt()
        assert meddler.is_done
        assert time.monotonic() - began < 10
        assert "there" not in str(caught.value)
    assert blobs.read("there", 0, 1) == b"o"


def test_a_storage_that_says_nothing_is_away_within_bounds(storage, meddler):
    blobs = storage.impatient(meddler.port, replace(PATIENCE, read_seconds=0.5))
    meddler.meddle("", Hold(), times=2 * PATIENCE.attempts)
    for attempt in (lambda: blobs.put(NAME, b"one"), lambda: blobs.read(NAME, 0, 1)):
        began = time.monotonic()
        with pytest.raises(BlobsUnavailable, match="ReadTimeoutError after 3 attempts"):
            attempt()
        assert 1.5 <= time.monotonic() - began < 10
    assert meddler.is_done


def test_an_answer_that_cannot_be_read_is_no_answer(blobs, meddler):
    blobs.put(NAME, b"one")
    meddler.meddle("^GET", CorruptAnswer(0))
    assert list(blobs.names()) == [NAME]
    assert meddler.came("^GET .*list-type=2") == 2


def test_an_endpoint_where_nobody_listens_is_away(storage):
    with pytest.raises(BlobsUnavailable):
        storage.impatient(free_ports(1)).ensure_ready()


def test_an_endpoint_that_takes_no_connection_is_away_within_bounds(storage):
    """Its queue is full: the kernel answers nothing, as a firewall would."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        with pytest.raises(BlobsUnavailable):
            storage.impatient(port).size(NAME)
        assert PATIENCE.connect_seconds <= time.monotonic() - began < 10
        for one in waiting:
            one.close()


def test_a_certificate_that_nobody_vouches_for_is_not_talked_to(storage):
    with pytest.raises(BlobsUnavailable, match="SSLError"):
        S3Blobs(storage.blobs(authority=None)._bucket, patience=PATIENCE).ensure_ready()
