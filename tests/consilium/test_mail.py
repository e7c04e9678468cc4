"""Mail by a real server: over TLS that is checked, with the password, and never in the clear."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.mail import EmailMessage

from consilium.mail import VerifiedSmtp
from tests.servers import authority
from tests.servers.smtp import Smtp


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smtp]:
    directory = Path(tmp_path_factory.mktemp("smtp"))
    running = Smtp(directory / "mails", authority.issue(directory / "tls"), "mail-smtp")
    running.start()
    yield running
    running.stop()


def backend(server: Smtp, **changes: object) -> VerifiedSmtp:
    settings = {
        "host": "localhost",
        "port": server.port,
        "username": "consilium",
        "password": server.password,
        "use_tls": True,
        "timeout": 5,
    }
    return VerifiedSmtp(**{**settings, **changes})


def a_mail(about: str) -> EmailMessage:
    return EmailMessage(about, "Text", "visits@example.test", ["rosa@example.test"])


def subjects(server: Smtp) -> list[str]:
    return [str(mail["Subject"]) for mail in server.mails()]


def test_a_mail_arrives(server: Smtp, settings) -> None:
    settings.AUTHORITY = server.tls.authority
    assert backend(server).send_messages([a_mail("arrives")]) == 1
    assert "arrives" in subjects(server)


def test_a_server_that_cannot_prove_who_it_is_gets_no_mail(
    server: Smtp, settings, tmp_path: Path
) -> None:
    for vouching in (authority.issue(tmp_path / "stranger").authority, None):
        settings.AUTHORITY = vouching
        with pytest.raises(ssl.SSLCertVerificationError):
            backend(server).send_messages([a_mail("betrayed")])
    assert "betrayed" not in subjects(server)


@pytest.mark.parametrize("changes", [{"use_tls": False}, {"password": "wrong"}])
def test_the_tests_server_takes_nothing_in_the_clear_or_from_a_stranger(
    server: Smtp, settings, changes: dict[str, object]
) -> None:
    """So that a mail which arrived says something."""
    settings.AUTHORITY = server.tls.authority
    with pytest.raises(smtplib.SMTPException):
        backend(server, **changes).send_messages([a_mail("refused")])
    assert "refused" not in subjects(server)
