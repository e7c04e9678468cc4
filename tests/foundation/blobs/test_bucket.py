"""What only a bucket has: a lock that binds its owner too, versions, settings that are wrong."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from foundation.blobs import BlobExists, BlobLocked, BlobMissing, BlobsRefused
from foundation.blobs.s3 import S3Blobs

NAME = "recordings/7f3a/film"


def in_an_hour() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


def refused(call, **arguments) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


@pytest.fixture
def retained(storage):
    """An uploaded blob, and how its owner names it."""
    until = in_an_hour()
    storage.blobs().upload(NAME, [b"x" * (5 << 20), b"y"], retain_until=until)
    (version,) = storage.versions(NAME)
    which = {"Bucket": storage.bucket.name, "Key": version["Key"]}
    return which, version["VersionId"], until


def test_the_owner_of_the_bucket_cannot_delete_what_is_retained(storage, retained):
    which, version, _ = retained
    for more in ({}, {"BypassGovernanceRetention": True}):
        code = refused(storage.owner.delete_object, VersionId=version, **which, **more)
        assert code == "AccessDenied"
    assert storage.blobs().read(NAME, 5 << 20, 6 << 20) == b"y"


def test_the_owner_of_the_bucket_cannot_shorten_or_weaken_a_retention(storage, retained):
    which, version, until = retained
    for retention in (
        {"Mode": "COMPLIANCE", "RetainUntilDate": until - timedelta(minutes=1)},
        {"Mode": "GOVERNANCE", "RetainUntilDate": until},
        {"Mode": "GOVERNANCE", "RetainUntilDate": until + timedelta(days=1)},
    ):
        code = refused(
            storage.owner.put_object_retention,
            VersionId=version,
            Retention=retention,
            BypassGovernanceRetention=True,
            **which,
        )
        assert code == "AccessDenied"
    kept = storage.owner.get_object_retention(VersionId=version, **which)["Retention"]
    assert (kept["Mode"], kept["RetainUntilDate"]) == ("COMPLIANCE", until)


def test_a_mark_of_deletion_hides_a_blob_and_destroys_nothing(storage, retained):
    which, _, _ = retained
    mark = storage.owner.delete_object(**which)["VersionId"]
    blobs = storage.blobs()
    for attempt in (
        lambda: blobs.size(NAME),
        lambda: blobs.read(NAME, 0, 1),
        lambda: blobs.retained_until(NAME),
        lambda: blobs.retain(NAME, in_an_hour() + timedelta(hours=1)),
    ):
        with pytest.raises(BlobMissing):
            attempt()
    with pytest.raises(BlobLocked):
        blobs.delete(NAME)
    storage.owner.delete_object(VersionId=mark, **which)
    assert blobs.size(NAME) == (5 << 20) + 1


def test_a_blob_under_a_mark_of_deletion_still_has_its_name(storage):
    blobs = storage.blobs()
    blobs.put(NAME, b"one")
    storage.owner.delete_object(Bucket=storage.bucket.name, Key=f"{storage.bucket.prefix}/{NAME}")
    with pytest.raises(BlobExists):
        blobs.put(NAME, b"two")
    blobs.put(NAME, b"one")
    kept = [version for version in storage.versions(NAME) if "Size" in version]
    assert len(kept) == 1


def test_deletion_leaves_no_version_and_no_mark(storage):
    blobs = storage.blobs()
    blobs.put(NAME, b"one")
    blobs.put(NAME + "-other", b"other")
    for n in range(12):  # more than one page of the listing
        storage.cover(NAME, b"%d" % n)
    storage.owner.delete_object(Bucket=storage.bucket.name, Key=f"{storage.bucket.prefix}/{NAME}")
    assert len(storage.versions(NAME)) == 15
    blobs.delete(NAME)
    (left,) = storage.versions(NAME)
    assert left["Key"].endswith("-other")


def test_if_one_version_is_retained_none_is_deleted(storage, retained):
    storage.cover(NAME, b"newer")
    before = storage.versions(NAME)
    assert len(before) == 2
    with pytest.raises(BlobLocked):
        storage.blobs().delete(NAME)
    assert storage.versions(NAME) == before


def test_a_second_put_leaves_no_version_behind(storage):
    """This storage takes it in spite of If-None-Match; what came second is taken back."""
    blobs = storage.blobs()
    blobs.put(NAME, b"one")
    (first,) = storage.versions(NAME)
    blobs.put(NAME, b"one")
    with pytest.raises(BlobExists):
        blobs.put(NAME, b"two")
    assert storage.versions(NAME) == [first]


def test_what_is_given_again_is_compared_with_the_blob_and_not_with_what_covers_it(storage):
    blobs = storage.blobs()
    blobs.put(NAME, b"one")
    storage.cover(NAME, b"two")
    blobs.put(NAME, b"one")
    until = in_an_hour()
    blobs.upload(NAME, [b"one"], retain_until=until)
    for other in (b"two", b"six"):
        with pytest.raises(BlobExists):
            blobs.put(NAME, other)
        with pytest.raises(BlobExists):
            blobs.upload(NAME, [other], retain_until=None)
    newer, blob = storage.versions(NAME)
    storage.owner.delete_object(
        Bucket=storage.bucket.name, Key=newer["Key"], VersionId=newer["VersionId"]
    )
    assert blobs.read(NAME, 0, 10) == b"one"
    assert blobs.retained_until(NAME) == until
    assert [version["VersionId"] for version in storage.versions(NAME)] == [blob["VersionId"]]


def test_of_two_uploads_at_one_time_the_earlier_is_the_blob(storage):
    blobs = storage.blobs()

    def pieces():
        yield b"slower"
        storage.blobs().upload(NAME, [b"quicker"], retain_until=in_an_hour())

    with pytest.raises(BlobExists):
        blobs.upload(NAME, pieces(), retain_until=None)
    assert blobs.read(NAME, 0, 100) == b"quicker"
    assert len(storage.versions(NAME)) == 1


def test_abandoned_uploads_of_ours_are_removed_and_others_left(storage):
    create = storage.owner.create_multipart_upload
    bucket = storage.bucket.name
    create(Bucket=bucket, Key=f"{storage.bucket.prefix}/{NAME}")
    create(Bucket=bucket, Key=f"{storage.bucket.prefix}/another")
    create(Bucket=bucket, Key="elsewhere")
    assert storage.blobs().forget_abandoned(timedelta(hours=1)) == 0
    assert storage.blobs().forget_abandoned(timedelta(0)) == 2
    assert [upload["Key"] for upload in storage.unfinished()] == ["elsewhere"]


def test_two_prefixes_of_a_bucket_do_not_see_each_other(storage):
    one, two = storage.blobs(prefix="one"), storage.blobs(prefix="")
    one.put("a", b"of one")
    two.put("oneself", b"of two")
    assert list(one.names()) == ["a"]
    assert list(two.names()) == ["one/a", "oneself"]


def test_names_are_listed_over_pages(storage):
    names = [f"n/{n:02}" for n in range(11)]
    for name in names:
        storage.cover(name, b"")
    assert list(S3Blobs(storage.bucket, page_names=5).names("n/")) == names


def test_encryption_is_asked_for_with_each_object(storage):
    blobs = storage.blobs(sse="aws:kms", sse_key="test-key")
    blobs.put("small", b"one")
    blobs.upload("large", [b"x"], retain_until=None)
    for name in ("small", "large"):
        head = storage.owner.head_object(
            Bucket=storage.bucket.name, Key=f"{storage.bucket.prefix}/{name}"
        )
        assert head["ServerSideEncryption"] == "aws:kms"
        assert head["SSEKMSKeyId"] == "test-key"
        assert blobs.size(name) == head["ContentLength"]
        assert blobs.read(name, 0, 10) in {b"one", b"x"}


def test_a_bucket_that_is_not_there_is_said(storage):
    with pytest.raises(BlobsRefused, match="there is no bucket nowhere-at-all: make it"):
        storage.blobs(name="nowhere-at-all").ensure_ready()


def test_a_bucket_without_versions_is_said(storage):
    name = f"{storage.bucket.name}-plain"
    storage.owner.create_bucket(Bucket=name)
    with pytest.raises(BlobsRefused, match=r"keeps no versions: .* Object Lock"):
        storage.blobs(name=name).ensure_ready()


def test_a_bucket_without_object_lock_is_said(storage):
    name = f"{storage.bucket.name}-versions"
    storage.owner.create_bucket(Bucket=name)
    storage.owner.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    with pytest.raises(BlobsRefused, match="has no Object Lock: make one that has it"):
        storage.blobs(name=name).ensure_ready()


def test_a_bucket_that_locks_by_default_is_said(storage):
    storage.owner.put_object_lock_configuration(
        Bucket=storage.bucket.name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    )
    with pytest.raises(BlobsRefused, match="locks everything by default: take that rule away"):
        storage.blobs().ensure_ready()


@pytest.mark.parametrize("wrong", [{"secret_key": "wrong-secret"}, {"access_key": "wrong-key"}])
def test_wrong_keys_are_refused_at_once_and_not_repeated(storage, caplog, wrong):
    caplog.set_level(logging.INFO)
    blobs = storage.blobs(**wrong)
    for attempt in (
        blobs.ensure_ready,
        lambda: blobs.put(NAME, b"one"),
        lambda: blobs.upload(NAME, [b"one"], retain_until=None),
        lambda: blobs.read(NAME, 0, 1),
        lambda: blobs.delete(NAME),
        lambda: blobs.retain(NAME, in_an_hour()),
        lambda: list(blobs.names()),
        lambda: blobs.forget_abandoned(timedelta(0)),
    ):
        with pytest.raises(BlobsRefused) as caught:
            attempt()
        said = f"{caught.value} {caught.value!r} {caught.value.__cause__}"
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        for secret in (*wrong.values(), storage.bucket.secret_key, NAME):
            assert secret not in said
            assert secret not in caplog.text


def test_nothing_shows_the_keys(storage):
    keys = (storage.bucket.access_key, storage.bucket.secret_key)
    shown = repr(storage.bucket) + repr(storage.blobs()) + repr(vars(S3Blobs(storage.bucket)))
    assert not any(key in shown for key in keys)
