"""An upload in parts: each is repeated on its own, and one that is not finished leaves nothing.

An upload that a dead process had begun is not resumed: its parts are there, but whether they are
of the same bytes can be told by their MD5 alone. It is begun anew, and what it left is removed by
``forget_abandoned``.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from foundation.blobs import BlobExists, BlobsError, BlobsUnavailable
from foundation.blobs.bucket import NO_VERSIONS, Connection, NotSo
from foundation.fault_points import reached

# S3 takes 10,000 parts of 5 MiB at least: this makes 160 GB the largest blob, and is what an
# upload holds in memory, once or twice.
PART_BYTES = 16 << 20


class Multipart:
    """Within ``with``: ``add`` each part, then ``complete``. Without the latter it is aborted."""

    def __init__(self, connection: Connection, key: str, settings: dict[str, Any]) -> None:
        self._s3 = connection
        self._key = key
        self._token = secrets.token_hex(8)
        self._settings = settings
        self._parts: list[dict[str, Any]] = []
        self._is_complete = False

    def __enter__(self) -> Self:
        answer = self._s3.call(
            "create_multipart_upload",
            Key=self._key,
            Metadata={"upload": self._token},
            **self._settings,
        )
        self._upload: str = answer["UploadId"]
        return self

    def add(self, part: bytes) -> None:
        number = len(self._parts) + 1
        try:
            answer = self._s3.call(
                "upload_part",
                Key=self._key,
                UploadId=self._upload,
                PartNumber=number,
                Body=part,
                ContentMD5=content_md5(part),
            )
        except NotSo as problem:
            raise self._ended(problem) from None
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        reached("blobs.part_uploaded")

    def complete(self) -> str:
        """The version that came of it. ``BlobExists`` if the storage sees an earlier one."""
        try:
            answer = self._s3.call(
                "complete_multipart_upload",
                Key=self._key,
                UploadId=self._upload,
                MultipartUpload={"Parts": self._parts},
                IfNoneMatch="*",
            )
        except NotSo as problem:
            # Perhaps an earlier attempt was done, and its answer was lost.
            if (version := self._made()) is None:
                if problem.code == "PreconditionFailed":
                    raise BlobExists("another upload of this name was quicker") from None
                raise self._ended(problem) from None
        else:
            version = answer.get("VersionId") or self._made()
        self._is_complete = True
        if version is None:
            raise BlobExists("another upload of this name came at the same time")
        return version

    def _made(self) -> str | None:
        """The version that this upload has made, known by its token."""
        try:
            head = self._s3.call("head_object", Key=self._key)
        except NotSo:
            return None
        is_ours = head["Metadata"].get("upload") == self._token
        return head.get("VersionId", NO_VERSIONS) if is_ours else None

    def _ended(self, problem: NotSo) -> BlobsError:
        if problem.code == "NoSuchUpload":
            return BlobsUnavailable("the upload was aborted by somebody else")
        return problem

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_complete:
            try:
                self._s3.abort(self._key, self._upload)
            except BlobsError:
                # The storage is away, and what ends the upload is said already.
                if error is None:
                    raise


def parts(pieces: Iterable[bytes], part_bytes: int) -> Iterator[bytes]:
    """``pieces`` as parts of that size; the last is shorter, and the only one may be empty."""
    gathered, is_first = bytearray(), True
    for piece in pieces:
        left = memoryview(piece)
        while left:
            space = part_bytes - len(gathered)
            gathered += left[:space]
            left = left[space:]
            if len(gathered) == part_bytes:
                yield bytes(gathered)
                gathered.clear()
                is_first = False
    if gathered or is_first:
        yield bytes(gathered)


def content_md5(data: bytes) -> str:
    """``Content-MD5``: S3 asks for it where Object Lock is, and compares."""
    digest = hashlib.md5(data, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()
