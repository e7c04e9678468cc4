"""Where blobs are kept, as an operator writes it: one URL, and what must not stand in a URL.

``file:///var/lib/consilium/blobs``, or
``s3://bucket/prefix?endpoint=https://s3.example.test:9000&region=eu-west-1``. Without an endpoint
it is Amazon's in that region. ``sse=AES256`` or ``sse=aws:kms`` (and ``sse_key=…``) asks the
storage to encrypt each object; ours are sealed already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from foundation.blobs.names import checked_prefix

DEFAULT_REGION = "us-east-1"

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_OPTIONS = frozenset({"endpoint", "region", "sse", "sse_key"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and what opens it. Neither key is ever shown."""

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = DEFAULT_REGION
    sse: str | None = None
    sse_key: str | None = None
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    authority: Path | None = None

    @property
    def encryption(self) -> dict[str, str]:
        """What is asked for with each object that is written."""
        asked = {"ServerSideEncryption": self.sse, "SSEKMSKeyId": self.sse_key}
        return {name: value for name, value in asked.items() if value}


def read_address(url: str) -> Directory | Bucket:
    """What ``url`` says, without the keys. ``ValueError`` is one sentence without the URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("it is not a URL") from None
    if "@" in parts.netloc:
        raise ValueError("keys do not belong into the URL")
    if parts.scheme == "file":
        if host or parts.query or not parts.path.startswith("/") or parts.path.strip("/") == "":
            raise ValueError("it names no directory, as file:///var/lib/consilium/blobs does")
        return Directory(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        return _bucket(parts)
    raise ValueError("it does not begin with file:// or s3://")


def _bucket(parts: SplitResult) -> Bucket:
    if not _BUCKET.fullmatch(parts.netloc):
        raise ValueError("it names no bucket, as s3://bucket/prefix does")
    prefix = parts.path.strip("/")
    try:
        checked_prefix(prefix)
    except ValueError:
        raise ValueError("its prefix holds more than letters, digits and . _ - /") from None
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError("what follows the ? is not name=value&name=value") from None
    options = dict(pairs)
    if len(options) != len(pairs) or not options.keys() <= _OPTIONS:
        raise ValueError(f"after the ? there is {', '.join(sorted(_OPTIONS))}, each once")
    if (endpoint := options.get("endpoint")) is not None:
        _check_endpoint(endpoint)
    region = options.get("region", DEFAULT_REGION)
    if not _REGION.fullmatch(region):
        raise ValueError("its region is not a name such as eu-west-1")
    sse, sse_key = options.get("sse"), options.get("sse_key")
    if sse not in {None, "AES256", "aws:kms"} or (sse_key and sse != "aws:kms"):
        raise ValueError("sse is AES256 or aws:kms, and sse_key belongs to aws:kms")
    return Bucket(parts.netloc, prefix, endpoint, region, sse, sse_key)


def _check_endpoint(endpoint: str) -> None:
    """https, or http where nobody can listen. Userinfo, paths and queries have no use there."""
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("its endpoint is not a URL") from None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        raise ValueError("its endpoint is not an address such as https://s3.example.org")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("its endpoint has more than a host and a port")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ValueError("its endpoint is without TLS")
