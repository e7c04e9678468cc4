"""A bucket seen by who owns it: boto3 itself, and not the platform's adapter."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from tests.servers.radosgw import Gateway


def owner_of(gateway: Gateway) -> Any:
    """A client with every right there is over the buckets of ``gateway``."""
    return boto3.session.Session(
        aws_access_key_id=gateway.access_key,
        aws_secret_access_key=gateway.secret_key,
        region_name="us-east-1",
    ).client(
        "s3",
        endpoint_url=gateway.endpoint,
        verify=gateway.authority,
        config=Config(request_checksum_calculation="when_required"),
    )


def content(owner: Any, bucket: str) -> bytes:
    """Every version of every object, one after the other."""
    pages = owner.get_paginator("list_object_versions").paginate(Bucket=bucket)
    entries = [entry for page in pages for entry in page.get("Versions", [])]
    return b"".join(_version(owner, bucket, one["Key"], one["VersionId"]) for one in entries)


def _version(owner: Any, bucket: str, key: str, version: str) -> bytes:
    """Nothing of what was removed since it was listed."""
    try:
        body: bytes = owner.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()
    except owner.exceptions.NoSuchKey:
        return b""
    return body
