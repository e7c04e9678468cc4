"""A real Redis on loopback, with a password and nothing on disk."""

from __future__ import annotations

import secrets
from pathlib import Path

import redis

from tests.servers.processes import free_ports
from tests.servers.server import Server, artefacts, small_environment


class Redis(Server):
    """``start`` returns once it answers."""

    def __init__(self, directory: Path, name: str = "redis") -> None:
        super().__init__("redis", artefacts(name) / "redis.log")
        self.port = free_ports(1)
        self.password = secrets.token_urlsafe(24)
        self._directory = directory

    @property
    def url(self) -> str:
        """As ``REDIS_URL`` takes it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def settings(self) -> dict[str, str]:
        """What an installation is told, to use it."""
        return {"REDIS_URL": self.url}

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        configuration = self._directory / "redis.conf"
        configuration.touch(mode=0o600)  # not the command line: every process could read it there
        configuration.write_text(
            f"port {self.port}\nbind 127.0.0.1\nrequirepass {self.password}\n"
            f'dir {self._directory}\nsave ""\nappendonly no\ndaemonize no\n'
        )
        self._launch(["redis-server", configuration], small_environment())
        self._wait_while_running(self._answers, "an answer", 10.0)

    def client(self) -> redis.Redis:
        """For a look at what lies there."""
        return redis.Redis.from_url(self.url)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
