"""The proxy of a full installation: HAProxy with the file of ``deploy/compose``, as it stands.

What the tests add is a door for orders, by which a web process is taken out of the rotation.
"""

from __future__ import annotations

import csv
import socket
from collections.abc import Sequence
from pathlib import Path

from tests.servers import authority
from tests.servers.processes import REPOSITORY, wait_for
from tests.servers.server import Server, artefacts, small_environment

CONFIGURATION = REPOSITORY / "deploy" / "compose" / "haproxy.cfg"


class Haproxy(Server):
    """``start`` returns once both web processes are there for it."""

    def __init__(
        self,
        directory: Path,
        webs: Sequence[int],
        web_authority: Path,
        name: str = "haproxy",
        *,
        port: int,
    ) -> None:
        super().__init__("haproxy", artefacts(name) / "haproxy.log")
        self.port = port  # of TLS; the next one is the other
        self._directory = directory
        self._webs = webs
        self._web_authority = web_authority
        self._orders = directory / "orders.sock"
        self.tls = authority.issue(directory / "tls")

    def start(self) -> None:
        # As it wants them: the key beside the certificate, under its name.
        key = self.tls.certificate.with_name(f"{self.tls.certificate.name}.key")
        key.touch(mode=0o600)
        key.write_bytes(self.tls.key.read_bytes())
        orders = self._directory / "orders.cfg"
        orders.write_text(f"global\n    stats socket {self._orders} mode 600 level admin\n")
        first, second = self._webs
        self._launch(
            ["haproxy", "-db", "-f", CONFIGURATION, "-f", orders],
            small_environment(
                PROXY_HTTPS=f"127.0.0.1:{self.port}",
                PROXY_HTTP=f"127.0.0.1:{self.port + 1}",
                PROXY_CERTIFICATE=str(self.tls.certificate),
                WEB_1=f"127.0.0.1:{first}",
                WEB_2=f"127.0.0.1:{second}",
                WEB_AUTHORITY=str(self._web_authority),
            ),
        )
        self._wait_while_running(
            lambda: self._orders.exists() and all(self.is_up(n) for n in (1, 2)), "both webs", 20.0
        )

    def is_up(self, web: int) -> bool:
        return self._row(web)["check_status"].startswith("L7") and self._row(web)["status"] == "UP"

    def sessions(self, web: int) -> int:
        """How many connections it passes to web process 1 or 2 at the moment."""
        return int(self._row(web)["scur"])

    def only(self, web: int) -> None:
        """From now on whoever comes gets to this one; what is open stays where it is."""
        self._order(f"set server webs/web-{web} state ready")
        self._order(f"set server webs/web-{3 - web} state drain")

    def both(self) -> None:
        for web in (1, 2):
            self._order(f"set server webs/web-{web} state ready")

    def wait_until_up(self, web: int, seconds: float = 30.0) -> None:
        wait_for(lambda: self.is_up(web), f"haproxy has web {web} again", seconds)

    def _row(self, web: int) -> dict[str, str]:
        text = self._order("show stat").removeprefix("# ")
        return next(
            row for row in csv.DictReader(text.splitlines()) if row["svname"] == f"web-{web}"
        )

    def _order(self, line: str) -> str:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(5)
            door.connect(str(self._orders))
            door.sendall(line.encode() + b"\n")
            return b"".join(iter(lambda: door.recv(65_536), b"")).decode()
