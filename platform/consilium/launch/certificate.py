"""The self-signed certificate of an installation that was given none.

Browsers warn about it, and should: nobody vouches for it. The media worker trusts exactly this one
file. A person can compare the fingerprint that is printed at the start with the one the browser
shows.
"""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=365)
RENEW_BEFORE = timedelta(days=7)  # a demo started today should still run next week


def ensure(directory: Path, hosts: list[str], now: datetime | None = None) -> tuple[Path, Path]:
    """The paths of certificate and key (PEM, 0600) in ``directory``, valid for all of ``hosts``.

    A certificate that is there is kept, so that browsers and workers need not trust a new one,
    unless it is about to expire, lacks a host, or its key is not there or another's.
    """
    now = now or datetime.now(UTC)
    certificate_path, key_path = directory / "certificate.pem", directory / "key.pem"
    if not _usable(certificate_path, key_path, hosts, now):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        _write(key_path, private)
        certificate = _sign(key, hosts, now)
        _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate_path, key_path


def fingerprint(certificate_path: Path) -> str:
    """SHA-256 over the certificate, written as browsers show it: ``AB:CD:…``."""
    certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def trusting(certificate_path: Path) -> ssl.SSLContext:
    """A client's TLS context that trusts this certificate and no other."""
    return ssl.create_default_context(cafile=str(certificate_path))


def _names(hosts: list[str]) -> list[x509.GeneralName]:
    """``hosts`` as subject alternative names: addresses as addresses, the rest as DNS names."""
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(host.strip("[]") for host in hosts):
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _usable(certificate_path: Path, key_path: Path, hosts: list[str], now: datetime) -> bool:
    """Whether what is there can go on being used."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False  # missing or broken: a new pair mends it
    return (
        key.public_key() == certificate.public_key()
        and certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE
        and set(_names(hosts)) <= set(names)
    )


def _sign(key: ec.EllipticCurvePrivateKey, hosts: list[str], now: datetime) -> x509.Certificate:
    """A certificate for ``key``, signed by itself (RFC 5280 profile of an end entity)."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Consilium on this machine")])
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks of other machines differ a little
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName(_names(hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _write(path: Path, content: bytes) -> None:
    """Replace ``path`` at once, readable by its owner only from its first byte on."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
