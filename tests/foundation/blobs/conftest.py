"""Both storages: a directory, and a bucket of a real S3 server with Object Lock."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from foundation.blobs import Blobs
from foundation.blobs.address import Bucket
from foundation.blobs.bucket import Patience
from foundation.blobs.local import LocalBlobs
from foundation.blobs.s3 import S3Blobs
from tests.servers.bucket import owner_of
from tests.servers.meddler import Meddler
from tests.servers.radosgw import Gateway, borrow

PART_BYTES = 5 << 20  # the least that S3 allows

#: Short, so that what is given up is given up soon.
PATIENCE = Patience(connect_seconds=1, read_seconds=3, attempts=3, first_wait_seconds=0.05)

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Storage:
    """A bucket with Object Lock, and its owner, who has every right and uses boto3 directly."""

    bucket: Bucket
    owner: Any
    gateway: Gateway

    def blobs(self, **changes: Any) -> S3Blobs:
        return S3Blobs(replace(self.bucket, **changes), part_bytes=PART_BYTES)

    def impatient(self, port: int, patience: Patience = PATIENCE) -> S3Blobs:
        """The same bucket by another way, given up soon."""
        bucket = replace(self.bucket, endpoint=f"http://127.0.0.1:{port}")
        return S3Blobs(bucket, patience=patience, part_bytes=PART_BYTES)

    def versions(self, name: str) -> list[dict[str, Any]]:
        key = f"{self.bucket.prefix}/{name}"
        answer = self.owner.list_object_versions(Bucket=self.bucket.name, Prefix=key)
        return [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]

    def cover(self, name: str, data: bytes) -> str:
        """A newer version over a blob, as nobody should make one."""
        key = f"{self.bucket.prefix}/{name}"
        return self.owner.put_object(Bucket=self.bucket.name, Key=key, Body=data)["VersionId"]

    def unfinished(self) -> list[dict[str, Any]]:
        return self.owner.list_multipart_uploads(Bucket=self.bucket.name).get("Uploads", [])


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    with borrow() as gateway:
        yield gateway


@pytest.fixture(scope="session")
def owner(gateway: Gateway) -> Any:
    return owner_of(gateway)


@pytest.fixture
def storage(gateway: Gateway, owner: Any) -> Storage:
    """A bucket of this test's own."""
    bucket = Bucket(
        f"recordings-{os.getpid()}-{next(_numbers)}",
        "hospital/one",
        gateway.endpoint,
        access_key=gateway.access_key,
        secret_key=gateway.secret_key,
        authority=Path(gateway.authority),
    )
    owner.create_bucket(Bucket=bucket.name, ObjectLockEnabledForBucket=True)
    return Storage(bucket, owner, gateway)


@pytest.fixture
def meddler(storage: Storage) -> Iterator[Meddler]:
    """Stands before the storage's port without TLS, so that it sees what it passes."""
    meddler = Meddler(storage.gateway.clear_port)
    yield meddler
    meddler.stop()


@pytest.fixture(params=["directory", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """What every storage promises is tested with each of them."""
    if request.param == "directory":
        return LocalBlobs(tmp_path / "blobs")
    return request.getfixturevalue("storage").blobs()
