"""The mail server itself: ``/usr/bin/python3 smtp_program.py PORT DIRECTORY CERTIFICATE KEY``.

It runs under the distribution's Python, which has aiosmtpd. Each mail becomes a file in the
directory, numbered by arrival. Mail is taken over TLS alone, and from somebody who signed in with
the password that lies in the directory's file ``password``.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import ssl
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER = b"consilium"


class Keep:
    """What is done with a mail."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = itertools.count(1)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        name = f"{next(self._numbers):06d}.eml"
        (self._directory / f"{name}.unfinished").write_bytes(envelope.content)
        (self._directory / f"{name}.unfinished").rename(self._directory / name)
        return "250 kept"


async def serve(port: int, directory: Path, certificate: str, key: str) -> None:
    password = (directory / "password").read_bytes()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)

    def check(
        server: Any, session: Any, envelope: Any, mechanism: str, given: object
    ) -> AuthResult:
        is_right = (
            isinstance(given, LoginPassword)
            and given.login == USER
            and secrets.compare_digest(given.password, password)
        )
        return AuthResult(success=is_right)

    def connection() -> SMTP:
        return SMTP(
            keep,
            hostname="mail.example.test",
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            authenticator=check,
        )

    keep = Keep(directory)
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", port)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:5]))
