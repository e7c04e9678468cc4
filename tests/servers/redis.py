"""A real Redis: TLS only, a password, nothing on disk."""

from __future__ import annotations

import secrets
from pathlib import Path

import redis

from tests.servers import authority
from tests.servers.processes import free_ports
from tests.servers.server import Server, artefacts, small_environment


class Redis(Server):
    """``start`` returns once it answers."""

    def __init__(self, directory: Path, tls: authority.Certificate, name: str = "redis") -> None:
        super().__init__("redis", artefacts(name) / "redis.log")
        self.tls = tls
        self.port = free_ports(1)
        self.password = secrets.token_urlsafe(24)
        self._directory = directory

    @property
    def url(self) -> str:
        """As ``REDIS_URL`` takes it; who vouches for its certificate is ``CONSILIUM_CA``."""
        return f"rediss://:{self.password}@localhost:{self.port}/0"

    @property
    def settings(self) -> dict[str, str]:
        """What an installation is told, to use it."""
        return {"REDIS_URL": self.url, "CONSILIUM_CA": str(self.tls.authority)}

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        configuration = self._directory / "redis.conf"
        configuration.touch(mode=0o600)  # not the command line: every process could read it there
        configuration.write_text(
            f"port 0\ntls-port {self.port}\nbind 127.0.0.1\n"
            f"tls-cert-file {self.tls.certificate}\ntls-key-file {self.tls.key}\n"
            f"tls-ca-cert-file {self.tls.authority}\ntls-auth-clients no\n"
            f"requirepass {self.password}\n"
            f'dir {self._directory}\nsave ""\nappendonly no\ndaemonize no\n'
        )
        self._launch(["redis-server", configuration], small_environment())
        self._wait_while_running(self._answers, "an answer", 10.0)

    def client(self) -> redis.Redis:
        """For a look at what lies there."""
        return redis.Redis.from_url(self.url, ssl_ca_certs=str(self.tls.authority))

    def content(self) -> bytes:
        """Every key and what it holds, one after the other; not by DUMP, which compresses."""
        with self.client() as client:
            return b"\0".join(
                part for key in client.scan_iter() for part in (key, *_values(client, key))
            )

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


def _values(client: redis.Redis, key: bytes) -> list[bytes]:
    match client.type(key):
        case b"string":
            return [client.get(key) or b""]
        case b"list":
            return list(client.lrange(key, 0, -1))
        case b"set":
            return list(client.smembers(key))
        case b"zset":
            return list(client.zrange(key, 0, -1))
        case b"hash":
            return [part for pair in client.hgetall(key).items() for part in pair]
        case b"none":
            return []
        case other:
            raise AssertionError(f"a kind of key that is not searched: {other!r}")
