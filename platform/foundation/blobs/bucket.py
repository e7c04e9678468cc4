"""Calls to one bucket: bounded in time, repeated when that may help, in our own errors.

boto3's own repetitions are off: they do not cover an answer that breaks off while it is read, nor
bytes that arrived changed, and two layers of them would multiply.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from foundation.blobs import BlobsRefused, BlobsUnavailable
from foundation.blobs.address import Bucket

T = TypeVar("T")

# Reading the description of S3 takes longer than a request, and is done once for a session; making
# clients of one is not for several threads at a time.
_session = boto3.session.Session()
_making = threading.Lock()

# S3's words for "try again" that come with a status below 500. The two about digests are said when
# bytes changed on their way.
_AGAIN = frozenset(
    {
        "BadDigest",
        "ConditionalRequestConflict",
        "OperationAborted",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "XAmzContentSHA256Mismatch",
    }
)
# No answer, half of one, or one that cannot be read. urllib3's come out when TLS breaks in a body.
_BROKEN = (
    HTTPClientError,
    BotoConnectionError,
    IncompleteReadError,
    ResponseParserError,
    HTTPError,
)
_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "405", "MethodNotAllowed", "NoSuchVersion"})

#: What listings call the only version in a bucket that keeps none; answers to writes leave it out.
NO_VERSIONS = "null"

# Where a listing goes on: what the answer says, and what the next question says for it.
_CONTINUED = {
    "list_objects_v2": {"NextContinuationToken": "ContinuationToken"},
    "list_object_versions": {
        "NextKeyMarker": "KeyMarker",
        "NextVersionIdMarker": "VersionIdMarker",
    },
    "list_multipart_uploads": {
        "NextKeyMarker": "KeyMarker",
        "NextUploadIdMarker": "UploadIdMarker",
    },
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one call may take: at worst ``attempts`` times both time-outs, and the waits.

    With these figures that is 24 s when nobody answers and two and a half minutes when somebody
    takes the connection and says nothing.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    attempts: int = 4
    first_wait_seconds: float = 0.5  # doubled each time, and shortened by chance by up to a half


class NotSo(BlobsRefused):
    """The storage answered that it will not, and would say so again."""

    def __init__(self, operation: str, code: str, status: int) -> None:
        self.code, self.status = code, status
        super().__init__(f"the storage refuses {operation}: {code} ({status})")

    @property
    def is_about_nothing(self) -> bool:
        """Whether there is no such object, or a mark of deletion covers it."""
        return self.code in _MISSING


class Connection:
    """One bucket. Threads may share it."""

    def __init__(self, bucket: Bucket, patience: Patience) -> None:
        self._patience = patience
        self._name = bucket.name
        with _making:
            self._client = _session.client(
                "s3",
                aws_access_key_id=bucket.access_key,
                aws_secret_access_key=bucket.secret_key,
                region_name=bucket.region,
                endpoint_url=bucket.endpoint,
                verify=str(bucket.authority) if bucket.authority else None,
                config=_config(bucket, patience),
            )

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One operation of S3. ``BlobsUnavailable``, ``NotSo``."""
        method = getattr(self._client, operation)
        return self._again(operation, lambda: method(Bucket=self._name, **arguments))

    def read(self, **arguments: Any) -> bytes:
        """The whole body of an answer; one that breaks off is asked for anew."""

        def once() -> bytes:
            body = self._client.get_object(Bucket=self._name, **arguments)["Body"]
            # Not "with body", which gives the stream of urllib3 beneath, and its errors.
            with closing(body):
                data: bytes = body.read()
                return data

        return self._again("get_object", once)

    def pages(self, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """The answers of a listing, one by one. boto3's paginator ends at the first that fails."""
        while True:
            page = self.call(operation, **arguments)
            yield page
            if not page.get("IsTruncated"):
                return
            for given, asked in _CONTINUED[operation].items():
                if given in page:
                    arguments[asked] = page[given]

    def abort(self, key: str, upload: str) -> None:
        """Fine if it is gone already."""
        try:
            self.call("abort_multipart_upload", Key=key, UploadId=upload)
        except NotSo as problem:
            if problem.code != "NoSuchUpload":
                raise

    def _again(self, operation: str, once: Callable[[], T]) -> T:
        patience = self._patience
        for attempt in range(1, patience.attempts + 1):
            try:
                return once()
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code", "unknown"))
                status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
                if status < 500 and status != 429 and code not in _AGAIN:
                    raise NotSo(operation, code, status) from None
                reason = f"{code} ({status})"
            except _BROKEN as error:
                reason = type(error).__name__
            except BotoCoreError as error:
                raise BlobsRefused(f"{operation}: {type(error).__name__}") from None
            if attempt < patience.attempts:
                wait = patience.first_wait_seconds * 2 ** (attempt - 1)
                time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - only spreads the load
        raise BlobsUnavailable(f"{operation}: {reason} after {patience.attempts} attempts")


def _config(bucket: Bucket, patience: Patience) -> Config:
    return Config(
        signature_version="s3v4",
        connect_timeout=patience.connect_seconds,
        read_timeout=patience.read_seconds,
        retries={"mode": "standard", "total_max_attempts": 1},
        # The address is ours alone to say, not a variable's or a file's that boto3 would look for.
        ignore_configured_endpoint_urls=True,
        # Other storages do not know Amazon's newer checksums. Each request's signature covers the
        # SHA-256 of its body, and the storage compares.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={
            "addressing_style": "path" if bucket.endpoint else "auto",
            "payload_signing_enabled": True,
        },
    )
