"""A certificate of the operator's own: used as it is, or refused in one line that says why."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from consilium.launch import certificate
from consilium.launch.certificate import CertificateWrong
from media_worker.identity import tls_context
from media_worker.settings import from_environment
from tests.servers.authority import Certificate, issue


@pytest.fixture
def own(tmp_path: Path) -> Certificate:
    return issue(tmp_path / "own", ("visits.example.test",))


def given(own: Certificate, tmp_path: Path, **changed: Path) -> certificate.Certificate:
    files = {"certificate": own.certificate, "key": own.key, **changed}
    return certificate.given(tmp_path / "tls", files["certificate"], files["key"])


def test_it_is_used_as_it_is(own: Certificate, tmp_path: Path) -> None:
    used = given(own, tmp_path)
    assert (used.path, used.key, used.chain) == (own.certificate, own.key, None)
    assert not used.self_signed
    assert not (tmp_path / "tls").exists(), "nothing was made beside it"


def test_what_stands_between_it_and_its_root_is_sent_along(
    own: Certificate, tmp_path: Path
) -> None:
    full = tmp_path / "fullchain.pem"
    full.write_bytes(own.certificate.read_bytes() + own.authority.read_bytes())
    used = given(own, tmp_path, certificate=full)
    assert used.chain is not None
    assert used.chain.read_bytes().strip() == own.authority.read_bytes().strip()
    assert used.chain.stat().st_mode & 0o777 == 0o600


def locked(own: Certificate, path: Path) -> Path:
    key = serialization.load_pem_private_key(own.key.read_bytes(), password=None)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"hunter2"),
        )
    )
    return path


def file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("which", "make", "line"),
    [
        (
            "certificate",
            lambda own, tmp: tmp / "nowhere.pem",
            "CONSILIUM_CERTIFICATE: {} cannot be read: No such file or directory.",
        ),
        (
            "certificate",
            lambda own, tmp: tmp,
            "CONSILIUM_CERTIFICATE: {} cannot be read: Is a directory.",
        ),
        (
            "certificate",
            lambda own, tmp: own.key,
            "CONSILIUM_CERTIFICATE: {} holds no certificate in PEM form.",
        ),
        (
            "certificate",
            lambda own, tmp: file(
                tmp / "x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
            ),
            "CONSILIUM_CERTIFICATE: {} holds no certificate in PEM form.",
        ),
        (
            "key",
            lambda own, tmp: tmp / "nowhere.pem",
            "CONSILIUM_CERTIFICATE_KEY: {} cannot be read: No such file or directory.",
        ),
        (
            "key",
            lambda own, tmp: own.certificate,
            "CONSILIUM_CERTIFICATE_KEY: {} holds no key in PEM form.",
        ),
        (
            "key",
            lambda own, tmp: file(tmp / "empty", b""),
            "CONSILIUM_CERTIFICATE_KEY: {} holds no key in PEM form.",
        ),
        (
            "key",
            lambda own, tmp: locked(own, tmp / "locked.pem"),
            "CONSILIUM_CERTIFICATE_KEY: {} is locked by a passphrase.",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(
    own: Certificate, tmp_path: Path, which, make, line
) -> None:
    path = make(own, tmp_path)
    with pytest.raises(CertificateWrong) as caught:
        given(own, tmp_path, **{which: path})
    assert str(caught.value) == line.format(path)


def test_a_key_of_another_certificate_is_refused(own: Certificate, tmp_path: Path) -> None:
    other = issue(tmp_path / "other")
    with pytest.raises(CertificateWrong, match=r"^CONSILIUM_CERTIFICATE_KEY: .* is not the key of"):
        given(own, tmp_path, key=other.key)


@pytest.mark.parametrize(
    ("days", "words"), [(-4000, "is not valid before 20"), (4000, "expired on 20")]
)
def test_a_certificate_out_of_its_time_is_refused(
    own: Certificate, tmp_path: Path, days: int, words: str
) -> None:
    then = datetime.now(UTC) + timedelta(days=days)
    with pytest.raises(CertificateWrong, match=f"^CONSILIUM_CERTIFICATE: .* {words}"):
        certificate.given(tmp_path / "tls", own.certificate, own.key, now=then)


# ------------------------------------------------------------ who asks from this machine


def handshake(client: ssl.SSLContext, shown: Certificate) -> None:
    """A TLS handshake between ``client``, who says "localhost", and a server that shows this."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(shown.certificate, shown.key)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as end:
                end.recv(1)
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname="localhost") as end:
            end.send(b"x")
    finally:
        ours.close()
        thread.join()


def worker_trusting(pinned: Path, tmp_path: Path) -> ssl.SSLContext:
    return tls_context(
        from_environment(
            {
                "CONSILIUM_WORKER_PIN": str(pinned),
                "CONSILIUM_WORKER_IDENTITY": str(tmp_path / "identity.json"),
            }
        )
    )


@pytest.mark.parametrize("who", ["supervisor", "media worker"])
def test_exactly_this_certificate_is_accepted_under_any_name(
    own: Certificate, tmp_path: Path, who: str
) -> None:
    full = tmp_path / "fullchain.pem"
    full.write_bytes(own.certificate.read_bytes() + own.authority.read_bytes())

    def client() -> ssl.SSLContext:
        return (
            certificate.trusting(full) if who == "supervisor" else worker_trusting(full, tmp_path)
        )

    handshake(client(), own)
    impostor = issue(tmp_path / "impostor", ("visits.example.test", "localhost"))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(client(), impostor)


def test_a_pinned_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="CONSILIUM_WORKER_PIN names a file that does not exist"):
        worker_trusting(tmp_path / "nowhere.pem", tmp_path)


@pytest.mark.parametrize("name", ["CONSILIUM_CERTIFICATE", "CONSILIUM_CERTIFICATE_KEY"])
def test_one_without_the_other_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from consilium import environment

    for variable in list(os.environ):
        if environment.is_ours(variable):
            monkeypatch.delenv(variable)
    monkeypatch.setenv(name, "/etc/ssl/some.pem")
    with pytest.raises(environment.SettingsWrong) as caught:
        environment.load()
    [line] = caught.value.lines
    assert line.endswith(f"it is needed when {name} is set")
