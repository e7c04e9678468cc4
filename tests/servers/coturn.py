"""A real relay: coturn on loopback, with TLS, time-limited credentials and closed to other peers.

The same rules as in a real installation: every peer is denied except those named. In the tests the
media worker and the relay's own addresses are all 127.0.0.1, which coturn must be told to allow.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import socket
import time
from pathlib import Path

from tests.servers import authority
from tests.servers.processes import free_ports
from tests.servers.server import Server, artefacts, small_environment

RELAY_PORTS = 60
REALM = "example.test"

# Everything there is; what is allowed is named apart and wins (coturn asks that list first).
DENIED = ("0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")


class Coturn(Server):
    """coturn in a private directory; ``start`` returns once it accepts TLS connections."""

    def __init__(
        self,
        directory: Path,
        name: str = "coturn",
        *,
        allowed_peers: tuple[str, ...] = ("127.0.0.1",),
        user_quota: int = 12,
    ) -> None:
        super().__init__("coturn", artefacts(name) / "coturn.log")
        self.secret = secrets.token_hex(16)
        self.directory = directory
        self.tls = authority.issue(directory / "tls")
        self.port = free_ports(2 + RELAY_PORTS)
        self.tls_port = self.port + 1
        self._allowed_peers = allowed_peers
        self._user_quota = user_quota

    @property
    def urls(self) -> list[str]:
        """Its addresses, as ``RTCIceServer.urls`` takes them."""
        return [
            f"turn:127.0.0.1:{self.port}?transport=udp",
            f"turn:127.0.0.1:{self.port}?transport=tcp",
            self.tls_url,
        ]

    @property
    def tls_url(self) -> str:
        return f"turns:localhost:{self.tls_port}?transport=tcp"

    @property
    def settings(self) -> dict[str, str]:
        """What an installation is told, to use this relay."""
        return {"TURN_URLS": ",".join(self.urls), "TURN_SECRET": self.secret}

    def credential(self, user: str = "test", seconds: int = 60) -> tuple[str, str]:
        """User name and password as the platform makes them (draft-uberti-behave-turn-rest)."""
        username = f"{int(time.time()) + seconds}:{user}"
        digest = hmac.digest(self.secret.encode(), username.encode(), hashlib.sha1)
        return username, base64.b64encode(digest).decode()

    def start(self) -> None:
        configuration = self.directory / "turnserver.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join([*self._configuration(), ""]), encoding="utf-8")
        self._launch(["turnserver", "-c", configuration], small_environment())
        self._wait_while_running(self._accepts, "a TLS listener", 10.0)

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.tls_port), timeout=1).close()
        except OSError:
            return False
        return True

    def _configuration(self) -> list[str]:
        return [
            "listening-ip=127.0.0.1",
            "relay-ip=127.0.0.1",
            f"listening-port={self.port}",
            f"tls-listening-port={self.tls_port}",
            f"min-port={self.port + 2}",
            f"max-port={self.port + 1 + RELAY_PORTS}",
            f"realm={REALM}",
            "fingerprint",
            "use-auth-secret",
            f"static-auth-secret={self.secret}",
            f"cert={self.tls.certificate}",
            f"pkey={self.tls.key}",
            "no-tlsv1",
            "no-tlsv1_1",
            *(f"denied-peer-ip={addresses}" for addresses in DENIED),
            *(f"allowed-peer-ip={address}" for address in self._allowed_peers),
            "allow-loopback-peers",
            "no-multicast-peers",
            "no-tcp-relay",
            "no-rfc5780",
            "no-stun-backward-compatibility",
            "no-cli",
            f"user-quota={self._user_quota}",
            "total-quota=200",
            "max-bps=1000000",
            "stale-nonce=600",
            "log-file=stdout",
            "simple-log",
            f"pidfile={self.directory / 'turn.pid'}",
            f"userdb={self.directory / 'turndb'}",
        ]
