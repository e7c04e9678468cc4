"""Blobs in an S3 bucket with versions and Object Lock.

**Written once.** ``If-None-Match: *`` asks the storage for it. Some storages ignore that in a
bucket with versions (Ceph 16 does), and nothing is overwritten there but covered by a newer
version. So we look: the oldest version of a name is the blob, and one of ours that is not the
oldest is taken back.

**Retained.** The retention is given with the upload and asked for afterwards: Ceph 16 loses it on
the way. It is then set at once, before the call returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from foundation.blobs import (
    BlobExists,
    BlobLocked,
    BlobMissing,
    BlobsError,
    BlobsRefused,
    BlobsUnavailable,
    Stored,
)
from foundation.blobs.address import Bucket
from foundation.blobs.bucket import NO_VERSIONS, Connection, NotSo, Patience
from foundation.blobs.multipart import PART_BYTES, Multipart, content_md5, parts
from foundation.blobs.names import (
    checked_future,
    checked_moment,
    checked_name,
    checked_prefix,
    checked_range,
)
from foundation.blobs.repetition import Measure, given_again

# Said of an object without retention (Amazon, Ceph) and of a bucket without Object Lock.
_NO_LOCK = frozenset({"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"})

# The most that S3 gives in one answer.
PAGE_NAMES = 1000


class S3Blobs:
    """See the module. Threads may share one."""

    def __init__(
        self,
        bucket: Bucket,
        *,
        patience: Patience | None = None,
        part_bytes: int = PART_BYTES,
        page_names: int = PAGE_NAMES,
    ) -> None:
        self._s3 = Connection(bucket, patience or Patience())
        self._bucket = bucket
        self._part_bytes = part_bytes
        self._page_names = page_names
        self._before = f"{bucket.prefix}/" if bucket.prefix else ""

    def __repr__(self) -> str:
        return f"S3Blobs({self._bucket.name!r})"

    def put(self, name: str, data: bytes) -> None:
        key = self._key(name)
        try:
            answer = self._s3.call(
                "put_object",
                Key=key,
                Body=data,
                ContentMD5=content_md5(data),
                IfNoneMatch="*",
                **self._bucket.encryption,
            )
        except NotSo as problem:
            if problem.code != "PreconditionFailed":
                raise
            self._compare(key, self._first(key), [data])
            return
        version = answer.get("VersionId", NO_VERSIONS)
        first = self._first(key)
        if first["VersionId"] != version:
            self._s3.call("delete_object", Key=key, VersionId=version)
            self._compare(key, first, [data])

    def upload(
        self, name: str, pieces: Iterable[bytes], *, retain_until: datetime | None
    ) -> Stored:
        key = self._key(name)
        until = checked_future(retain_until) if retain_until is not None else None
        if self._has_versions(key):
            return self._upload_again(key, pieces, until)
        measure = Measure()
        with Multipart(self._s3, key, {**self._bucket.encryption, **_lock(until)}) as upload:
            for part in parts(pieces, self._part_bytes):
                upload.add(part)
                measure.add(part)
            version = upload.complete()
        if self._first(key)["VersionId"] != version:
            self._take_back(key, version)
            raise BlobExists("another upload of this name was quicker")
        if until is not None and self._moment(key, version) != until:
            self._retain(key, until, version)
        return measure.stored

    def _upload_again(self, key: str, pieces: Iterable[bytes], until: datetime | None) -> Stored:
        first = self._first(key)
        stored = self._compare(key, first, pieces)
        if until is not None:
            present = self._moment(key, first["VersionId"])
            if present is None or present < until:
                self._retain(key, until, first["VersionId"])
        return stored

    def _compare(self, key: str, first: dict[str, Any], pieces: Iterable[bytes]) -> Stored:
        """With this version, whatever covers it just now."""
        return given_again(
            pieces,
            first["Size"],
            lambda start, end: self._read(key, start, end, VersionId=first["VersionId"]),
        )

    def read(self, name: str, start: int, end: int) -> bytes:
        checked_range(start, end)
        if start == end:
            self.size(name)
            return b""
        return self._read(self._key(name), start, end)

    def _read(self, key: str, start: int, end: int, **which: str) -> bytes:
        try:
            return self._s3.read(Key=key, Range=f"bytes={start}-{end - 1}", **which)
        except NotSo as problem:
            if problem.code == "InvalidRange":
                return b""
            raise _missing(problem) from None

    def size(self, name: str) -> int:
        try:
            return int(self._s3.call("head_object", Key=self._key(name))["ContentLength"])
        except NotSo as problem:
            raise _missing(problem) from None

    def names(self, prefix: str = "") -> Iterator[str]:
        return self._names(self._before + checked_prefix(prefix))

    def _names(self, prefix: str) -> Iterator[str]:
        for page in self._s3.pages("list_objects_v2", Prefix=prefix, MaxKeys=self._page_names):
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(self._before)

    def delete(self, name: str) -> None:
        key = self._key(name)
        versions = list(self._versions(key))
        for version in versions:
            if not version["is_marker"]:
                moment = self._moment(key, version["VersionId"])
                if moment is not None and moment > datetime.now(UTC):
                    raise BlobLocked(f"it is retained until {moment:%Y-%m-%d %H:%M:%S} UTC")
        for version in versions:
            try:
                self._s3.call("delete_object", Key=key, VersionId=version["VersionId"])
            except NotSo as problem:
                if problem.status == 403 and self._moment(key, version["VersionId"]):
                    raise BlobLocked("the storage says that it is retained") from None
                raise

    def retain(self, name: str, until: datetime) -> None:
        until = checked_moment(until)
        present = self.retained_until(name)
        if present is not None and until < present:
            raise BlobLocked("a retention cannot be shortened")
        if until != present:
            self._retain(self._key(name), checked_future(until))

    def retained_until(self, name: str) -> datetime | None:
        key = self._key(name)
        try:
            return self._moment(key)
        except NotSo as problem:
            raise _missing(problem) from None

    def forget_abandoned(self, older_than: timedelta) -> int:
        removed, before = 0, datetime.now(UTC) - older_than
        for page in self._s3.pages("list_multipart_uploads", Prefix=self._before):
            for upload in page.get("Uploads", []):
                if upload["Initiated"] < before:
                    self._s3.abort(upload["Key"], upload["UploadId"])
                    removed += 1
        return removed

    def ensure_ready(self) -> None:
        name = self._bucket.name
        try:
            if self._s3.call("get_bucket_versioning").get("Status") != "Enabled":
                raise BlobsRefused(
                    f"the bucket {name} keeps no versions: make one with Object Lock,"
                    " which cannot be added everywhere later"
                )
            lock = self._s3.call("get_object_lock_configuration")["ObjectLockConfiguration"]
        except NotSo as problem:
            if problem.code == "NoSuchBucket":
                raise BlobsRefused(
                    f"there is no bucket {name}: make it, with Object Lock"
                ) from None
            if problem.code in _NO_LOCK:
                raise BlobsRefused(
                    f"the bucket {name} has no Object Lock: make one that has it from the start"
                ) from None
            raise
        if "Rule" in lock:
            # It would lock what has to be deleted within hours, too.
            raise BlobsRefused(
                f"the bucket {name} locks everything by default: take that rule away,"
                " the platform locks what it must"
            )

    def _key(self, name: str) -> str:
        return self._before + checked_name(name)

    def _versions(self, key: str) -> Iterator[dict[str, Any]]:
        """Of this key, newest first, and the markers of deletion among them."""
        for page in self._s3.pages("list_object_versions", Prefix=key, MaxKeys=10):
            found = [
                {**entry, "is_marker": kind == "DeleteMarkers"}
                for kind in ("Versions", "DeleteMarkers")
                for entry in page.get(kind, [])
            ]
            yield from (entry for entry in found if entry["Key"] == key)
            if any(entry["Key"] != key for entry in found):
                return  # keys are sorted, and ours is the first with this beginning

    def _has_versions(self, key: str) -> bool:
        return any(not version["is_marker"] for version in self._versions(key))

    def _first(self, key: str) -> dict[str, Any]:
        """The version that is the blob; later ones only cover it."""
        kept = [version for version in self._versions(key) if not version["is_marker"]]
        if not kept:
            raise BlobsUnavailable("it was deleted while it was written")
        return kept[-1]

    def _take_back(self, key: str, version: str) -> None:
        """Best effort: a storage that locked it at once will not let go of it."""
        try:
            self._s3.call("delete_object", Key=key, VersionId=version)
        except NotSo as problem:
            if problem.status != 403:
                raise

    def _moment(self, key: str, version: str | None = None) -> datetime | None:
        which = {"Key": key, **({"VersionId": version} if version else {})}
        try:
            retention = self._s3.call("get_object_retention", **which)["Retention"]
        except NotSo as problem:
            if problem.code in {
                "ObjectLockConfigurationNotFoundError",
                "NoSuchObjectLockConfiguration",
            }:
                return None
            raise
        moment: datetime = retention["RetainUntilDate"]
        return moment.astimezone(UTC)

    def _retain(self, key: str, until: datetime, version: str | None = None) -> None:
        which = {"Key": key, **({"VersionId": version} if version else {})}
        try:
            self._s3.call(
                "put_object_retention",
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
                **which,
            )
        except NotSo as problem:
            # Moved further by somebody else since we looked.
            if problem.status == 403 and (self._moment(key, version) or until) > until:
                raise BlobLocked("a retention cannot be shortened") from None
            raise _missing(problem) from None


def _missing(problem: NotSo) -> BlobsError:
    return BlobMissing("there is no blob of this name") if problem.is_about_nothing else problem


def _lock(until: datetime | None) -> dict[str, Any]:
    if until is None:
        return {}
    return {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
