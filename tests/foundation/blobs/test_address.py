"""Where blobs are kept, as an operator writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foundation.blobs.address import Bucket, Directory, read_address
from foundation.blobs.local import LocalBlobs
from foundation.blobs.opening import blobs_from
from foundation.blobs.s3 import S3Blobs


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("file:///var/lib/consilium/blobs", Directory(Path("/var/lib/consilium/blobs"))),
        ("file:///srv/with%20space", Directory(Path("/srv/with space"))),
        ("s3://recordings", Bucket("recordings")),
        ("s3://recordings/", Bucket("recordings")),
        ("s3://recordings/hospital/one/", Bucket("recordings", "hospital/one")),
        (
            "s3://recordings/one?endpoint=https://s3.example.test:9000&region=eu-west-1",
            Bucket("recordings", "one", "https://s3.example.test:9000", "eu-west-1"),
        ),
        ("s3://recordings?endpoint=http://127.0.0.1:9000", Bucket("recordings", "", "http://127.0.0.1:9000")),
        ("s3://recordings?endpoint=http%3A%2F%2F%5B%3A%3A1%5D%3A9000", Bucket("recordings", "", "http://[::1]:9000")),
        ("s3://recordings?sse=AES256", Bucket("recordings", sse="AES256")),
        ("s3://recordings?sse=aws:kms&sse_key=k", Bucket("recordings", sse="aws:kms", sse_key="k")),
    ],
)  # fmt: skip
def test_an_address_is_read(url, address):
    assert read_address(url) == address


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "does not begin with file:// or s3://"),
        ("/var/lib/blobs", "does not begin with file:// or s3://"),
        ("https://s3.example.test/bucket", "does not begin with file:// or s3://"),
        ("file://", "names no directory"),
        ("file:///", "names no directory"),
        ("file://host/path", "names no directory"),
        ("file:relative", "names no directory"),
        ("file:///a?b=c", "names no directory"),
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("s3://Capital", "names no bucket"),
        ("s3://bucket:9000/prefix", "names no bucket"),
        ("s3://bucket:port", "not a URL"),
        ("s3://[bucket", "not a URL"),
        ("s3://key:hunter2@bucket", "keys do not belong into the URL"),
        ("s3://bucket/pre fix", "its prefix"),
        ("s3://bucket/../other", "its prefix"),
        ("s3://bucket?endpoint", "what follows the ?"),
        ("s3://bucket?secret=hunter2", "after the ? there is"),
        ("s3://bucket?region=a&region=b", "after the ? there is"),
        ("s3://bucket?region=Europe!", "its region"),
        ("s3://bucket?endpoint=s3.example.test", "its endpoint is not an address"),
        ("s3://bucket?endpoint=https://", "its endpoint is not an address"),
        ("s3://bucket?endpoint=https://key:hunter2@s3.example.test", "its endpoint is not"),
        ("s3://bucket?endpoint=https://s3.example.test/bucket", "more than a host and a port"),
        ("s3://bucket?endpoint=https://s3.example.test:x", "its endpoint is not a URL"),
        ("s3://bucket?endpoint=http://s3.example.test", "without TLS"),
        ("s3://bucket?sse=rot13", "sse is"),
        ("s3://bucket?sse=AES256&sse_key=k", "sse is"),
    ],
)
def test_what_is_no_address_is_one_sentence_without_its_secrets(url, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        read_address(url)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_is_opened(tmp_path):
    assert isinstance(blobs_from(f"file://{tmp_path}/blobs"), LocalBlobs)
    keys = {"access_key": "access", "secret_key": "hunter2"}
    opened = blobs_from("s3://recordings?endpoint=https://s3.example.test", **keys)
    assert isinstance(opened, S3Blobs)
    assert "hunter2" not in repr(vars(opened))
    assert not (tmp_path / "blobs").exists(), "nothing is made by opening"


@pytest.mark.parametrize("keys", [{}, {"access_key": "a"}, {"secret_key": "s"}])
def test_a_bucket_is_not_opened_without_both_keys(keys):
    with pytest.raises(ValueError, match="needs an access key and a secret key"):
        blobs_from("s3://recordings", **keys)
