"""From a setting to a storage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from foundation.blobs import Blobs
from foundation.blobs.address import Directory, read_address
from foundation.blobs.local import LocalBlobs


def blobs_from(
    url: str, *, access_key: str = "", secret_key: str = "", authority: Path | None = None
) -> Blobs:
    """The storage at ``url`` (see ``address``). Nothing is contacted. ``ValueError``.

    ``authority``: a PEM file that vouches for the endpoint; without it boto3's own list.
    """
    address = read_address(url)
    if isinstance(address, Directory):
        return LocalBlobs(address.path)
    if not (access_key and secret_key):
        raise ValueError("a bucket needs an access key and a secret key")
    from foundation.blobs.s3 import S3Blobs

    return S3Blobs(
        replace(address, access_key=access_key, secret_key=secret_key, authority=authority)
    )
