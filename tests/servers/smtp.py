"""A real mail server (aiosmtpd, by Debian): STARTTLS, a password, and a directory of mails."""

from __future__ import annotations

import email
import secrets
from email.message import EmailMessage
from email.policy import default as modern_policy
from pathlib import Path

from tests.servers import authority
from tests.servers.processes import free_ports
from tests.servers.server import Server, artefacts, small_environment

#: The distribution's, which has its packages; ours has the platform's.
PYTHON = "/usr/bin/python3"
PROGRAM = Path(__file__).with_name("smtp_program.py")


class Smtp(Server):
    """``start`` returns once it listens."""

    def __init__(self, directory: Path, tls: authority.Certificate, name: str = "smtp") -> None:
        super().__init__("smtp", artefacts(name) / "smtp.log")
        self.tls = tls
        self.port = free_ports(1)
        self.password = secrets.token_urlsafe(24)
        self._directory = directory

    @property
    def url(self) -> str:
        """As ``SMTP_URL`` takes it; who vouches for its certificate is ``CONSILIUM_CA``."""
        return f"smtp://consilium:{self.password}@localhost:{self.port}"

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        (self._directory / "password").touch(mode=0o600)
        (self._directory / "password").write_text(self.password)
        self._launch(
            [PYTHON, PROGRAM, str(self.port), self._directory, self.tls.certificate, self.tls.key],
            small_environment(PYTHONDONTWRITEBYTECODE="1"),
        )
        self.wait_for_log("listening")

    def mails(self) -> list[EmailMessage]:
        """Every mail that has arrived, in the order of arrival."""
        found = []
        for file in sorted(self._directory.glob("*.eml")):
            mail = email.message_from_bytes(file.read_bytes(), policy=modern_policy)
            assert isinstance(mail, EmailMessage)
            found.append(mail)
        return found
