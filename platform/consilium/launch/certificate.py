"""The certificate of an installation: the operator's own, or a self-signed one made here.

Browsers warn about the self-signed one, and should: nobody vouches for it. A person can compare
the fingerprint that is printed at the start with the one the browser shows. Either way, who asks
from this machine accepts exactly this certificate and no other, whatever it is called: the
operator's own need not name ``localhost``.
"""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from consilium.environment import Environment

_PEM_CERTIFICATE = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

VALID_FOR = timedelta(days=365)
RENEW_BEFORE = timedelta(days=7)  # a demo started today should still run next week


class CertificateWrong(Exception):
    """The operator's certificate cannot be used; the message is one line that names the setting."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the web shows: PEM files. ``chain`` holds what stands between it and its root."""

    path: Path
    key: Path
    chain: Path | None = None
    self_signed: bool = False


def shown(directory: Path, environment: Environment) -> Certificate:
    """The operator's, if the environment names one; else the self-signed one in ``directory``.

    Raises ``CertificateWrong``.
    """
    if environment.certificate is not None and environment.certificate_key is not None:
        return given(directory, environment.certificate, environment.certificate_key)
    return ensure(directory, environment.hosts)


def given(directory: Path, path: Path, key_path: Path, now: datetime | None = None) -> Certificate:
    """The operator's certificate, if it can be used; its chain goes to a file in ``directory``.

    Raises ``CertificateWrong``.
    """
    now = now or datetime.now(UTC)
    setting, key_setting = "CONSILIUM_CERTIFICATE", "CONSILIUM_CERTIFICATE_KEY"
    parts = _PEM_CERTIFICATE.findall(_content(setting, path))
    try:
        certificate, *_ = [x509.load_pem_x509_certificate(part) for part in parts]
    except ValueError:
        raise CertificateWrong(f"{setting}: {path} holds no certificate in PEM form.") from None
    try:
        key = serialization.load_pem_private_key(_content(key_setting, key_path), password=None)
    except TypeError:
        raise CertificateWrong(f"{key_setting}: {key_path} is locked by a passphrase.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateWrong(f"{key_setting}: {key_path} holds no key in PEM form.") from None
    if key.public_key() != certificate.public_key():
        raise CertificateWrong(f"{key_setting}: {key_path} is not the key of {path}.")
    if now < certificate.not_valid_before_utc:
        raise CertificateWrong(
            f"{setting}: {path} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}."
        )
    if now >= certificate.not_valid_after_utc:
        raise CertificateWrong(
            f"{setting}: {path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}."
        )
    chain = None
    if len(parts) > 1:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        chain = directory / "chain.pem"
        _write(chain, b"\n".join(parts[1:]) + b"\n")
    return Certificate(path, key_path, chain)


def _content(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateWrong(f"{setting}: {path} cannot be read: {error.strerror}.") from None


def ensure(directory: Path, hosts: list[str], now: datetime | None = None) -> Certificate:
    """The self-signed certificate and its key (0600) in ``directory``, valid for all of ``hosts``.

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
    return Certificate(certificate_path, key_path, self_signed=True)


def fingerprint(certificate_path: Path) -> str:
    """SHA-256 over the certificate, written as browsers show it: ``AB:CD:…``."""
    certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def trusting(certificate_path: Path) -> ssl.SSLContext:
    """A client's TLS context that accepts this certificate and no other, under any name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # It need not be a root: it stands for itself.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    [own, *_] = _PEM_CERTIFICATE.findall(certificate_path.read_bytes())
    context.load_verify_locations(cadata=own.decode("ascii"))
    return context


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
