"""The self-signed certificate: made once, kept, renewed for a reason, readable by nobody else."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from consilium.launch import certificate

HOSTS = ["localhost", "127.0.0.1", "[::1]"]


def names(path: Path) -> set[str]:
    loaded = x509.load_pem_x509_certificate(path.read_bytes())
    extension = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(name.value) for name in extension.value}


def test_it_names_every_host(tmp_path: Path) -> None:
    path = certificate.ensure(tmp_path / "tls", [*HOSTS, "visits.example.org"]).path
    assert names(path) == {"localhost", "127.0.0.1", "::1", "visits.example.org"}


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    made = certificate.ensure(tmp_path / "tls", HOSTS)
    assert [path.stat().st_mode & 0o777 for path in (made.path, made.key)] == [0o600, 0o600]
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700


def test_a_second_start_keeps_it(tmp_path: Path) -> None:
    made = certificate.ensure(tmp_path / "tls", HOSTS)
    path, key = made.path, made.key
    before = path.read_bytes(), key.read_bytes()
    certificate.ensure(tmp_path / "tls", HOSTS)
    assert (path.read_bytes(), key.read_bytes()) == before


@pytest.mark.parametrize("days", [359, 366])
def test_it_is_renewed_before_it_expires_and_after(tmp_path: Path, days: int) -> None:
    path = certificate.ensure(tmp_path / "tls", HOSTS).path
    before = path.read_bytes()
    certificate.ensure(tmp_path / "tls", HOSTS, now=datetime.now(UTC) + timedelta(days=days))
    assert path.read_bytes() != before


def test_it_is_renewed_for_a_new_host(tmp_path: Path) -> None:
    certificate.ensure(tmp_path / "tls", HOSTS)
    path = certificate.ensure(tmp_path / "tls", [*HOSTS, "visits.example.org"]).path
    assert "visits.example.org" in names(path)


@pytest.mark.parametrize("broken", ["certificate.pem", "key.pem"])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_broken_pair_is_replaced(tmp_path: Path, broken: str, content: bytes | None) -> None:
    made = certificate.ensure(tmp_path / "tls", HOSTS)
    path, key = made.path, made.key
    if content is None:
        (tmp_path / "tls" / broken).unlink()
    else:
        (tmp_path / "tls" / broken).write_bytes(content)
    certificate.ensure(tmp_path / "tls", HOSTS)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key)


def test_a_key_of_another_certificate_is_replaced(tmp_path: Path) -> None:
    made = certificate.ensure(tmp_path / "tls", HOSTS)
    path, key = made.path, made.key
    foreign = certificate.ensure(tmp_path / "other", HOSTS).key
    key.write_bytes(foreign.read_bytes())
    certificate.ensure(tmp_path / "tls", HOSTS)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key)
