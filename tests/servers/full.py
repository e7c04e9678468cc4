"""The full installation: every part a real server, two web processes behind a proxy, two media
workers, production on.

PostgreSQL, Redis, Ceph with Object Lock, coturn over TLS alone and a mail server, each with a
password of this run and a certificate that is checked. The second media worker is no child of the
supervisor: it stands for another machine, is enrolled as the runbook says, and comes by the proxy.
"""

from __future__ import annotations

import os
import secrets
import ssl
import urllib.request
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.servers import authority, bucket, radosgw
from tests.servers.coturn import Coturn
from tests.servers.haproxy import Haproxy
from tests.servers.installation import PERSON, Installation, SignIn
from tests.servers.postgresql import PostgreSQL
from tests.servers.processes import REPOSITORY, free_ports, wait_for
from tests.servers.redis import Redis
from tests.servers.server import PYTHON, Server, artefacts, small_environment
from tests.servers.smtp import Smtp

BUCKET = "consilium-recordings"

#: What the demo would make, in an installation that is none. A command prints what it returns.
MAKE_PEOPLE = "from consilium import demo; print('\\n'.join(demo.make()))"


class Parts:
    """The servers that an installation is told of by ``settings``. All are there once made."""

    def __init__(self, directory: Path, name: str) -> None:
        self._held = ExitStack()
        try:
            self._start(directory, name)
        except BaseException:
            self._held.close()
            raise

    def _start(self, directory: Path, name: str) -> None:
        tls = authority.issue(directory / "tls")
        self.authority = tls.authority
        self.postgresql = PostgreSQL(tls, name)
        self._held.callback(self.postgresql.remove)
        self.redis = Redis(directory / "redis", tls, name)
        self._held.callback(self.redis.stop)
        self.smtp = Smtp(directory / "smtp", tls, name)
        self._held.callback(self.smtp.stop)
        (directory / "coturn").mkdir()
        self.coturn = Coturn(directory / "coturn", name, user_quota=60)
        self._held.callback(self.coturn.stop)
        for server in (self.postgresql, self.redis, self.smtp, self.coturn):
            server.start()
        self.gateway = self._held.enter_context(radosgw.borrow())
        self.bucket = f"{BUCKET}-{secrets.token_hex(4)}"
        bucket.owner_of(self.gateway).create_bucket(
            Bucket=self.bucket, ObjectLockEnabledForBucket=True
        )

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.postgresql.url,
            "REDIS_URL": self.redis.url,
            "SMTP_URL": self.smtp.url,
            "CONSILIUM_CA": str(self.authority),
            "CONSILIUM_STORAGE_URL": f"s3://{self.bucket}/hospital?endpoint={self.gateway.endpoint}",
            "CONSILIUM_STORAGE_ACCESS_KEY": self.gateway.access_key,
            "CONSILIUM_STORAGE_SECRET_KEY": self.gateway.secret_key,
            "CONSILIUM_STORAGE_CA": self.gateway.authority,
            "TURN_URLS": self.coturn.tls_url,
            "TURN_SECRET": self.coturn.secret,
        }

    def stop(self) -> None:
        self._held.close()


class DistantWorker(Server):
    """A media worker on another machine, as far as the platform can tell."""

    def __init__(self, directory: Path, installation: FullInstallation, name: str) -> None:
        super().__init__("worker-2", artefacts(name) / "worker-2.log")
        self._directory = directory
        self._installation = installation

    def start(self) -> None:
        """Enrolled by a code the first time; afterwards it is known."""
        if not self._directory.exists():
            self._directory.mkdir(mode=0o700)
            code = self._directory / "enrolment-code"
            code.touch(mode=0o600)
            code.write_text(self._installation.manage("media_worker", "invite").strip())
        self._launch(
            [PYTHON, "-m", "media_worker"],
            small_environment(
                PYTHONPATH=":".join(str(REPOSITORY / root) for root in ("platform", "apps", ".")),
                CONSILIUM_PLATFORM_URL=f"wss://localhost:{self._installation.door}",
                CONSILIUM_WORKER_CA=str(self._installation.proxy.tls.authority),
                CONSILIUM_WORKER_IDENTITY=str(self._directory / "identity.json"),
                CONSILIUM_WORKER_ENROLMENT_FILE=str(self._directory / "enrolment-code"),
                CONSILIUM_WORKER_NAME="worker-2",
                CONSILIUM_WORKER_ADDRESSES="127.0.0.1",
            ),
        )
        self.wait_for_log("linked to the platform", 30)


class FullInstallation(Installation):
    """``start`` returns once people can come by the proxy and both workers are linked."""

    #: The relay's authority is the run's own. Browsers have no other way to be told.
    browser_flags = ("--ignore-certificate-errors",)

    def __init__(self, directory: Path, name: str = "full", **settings: str) -> None:
        self.parts = Parts(directory, name)
        door = free_ports(2)
        super().__init__(
            directory,
            name,
            **{
                "CONSILIUM_PRODUCTION": "1",
                "CONSILIUM_DEMO": "0",
                "CONSILIUM_WEB_PROCESSES": "2",
                "CONSILIUM_SECRET_KEY": secrets.token_urlsafe(48),
                "CONSILIUM_PUBLIC_URL": f"https://localhost:{door}",
                "CONSILIUM_TRUSTED_PROXIES": "127.0.0.1",
                **self.parts.settings,
                **settings,
            },
        )
        self.proxy = Haproxy(
            directory / "proxy",
            (self.port, self.port + 1),
            self.certificate,
            name,
            port=door,
        )
        self.second_worker = DistantWorker(directory / "worker-2", self, name)

    @property
    def door(self) -> int:
        return self.proxy.port

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self.parts.postgresql.ask(sql.replace("%", "%%").replace("?", "%s"), *values)

    def _columns(self) -> dict[str, list[str]]:
        columns: dict[str, list[str]] = {}
        for table, column in self.ask(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        ):
            columns.setdefault(table, []).append(column)
        return columns

    def places(self) -> dict[str, bytes]:
        """Beside the files: the database, Redis, the bucket, and the other machine's log."""
        owner = bucket.owner_of(self.parts.gateway)
        return {
            **super().places(),
            "database": self.dump(),
            "redis": self.parts.redis.content(),
            "bucket": bucket.content(owner, self.parts.bucket),
            "log of the second worker": self.second_worker.log.read_bytes(),
        }

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.proxy.tls.authority))

    def start(self) -> None:
        super().start()
        self.proxy.start()
        if not self.people:
            for found in PERSON.finditer(self.manage("shell", "-c", MAKE_PEOPLE)):
                self.people[found["email"]] = SignIn(**found.groupdict())
        self.wait_for_worker()
        self.second_worker.start()

    def stop(self) -> None:
        with ExitStack() as last_to_first:
            last_to_first.callback(self.parts.stop)
            last_to_first.callback(super().stop)
            last_to_first.callback(self.proxy.stop)
            last_to_first.callback(self.second_worker.stop)

    def wait_until_back(self, web: int, seconds: float = 30.0) -> None:
        """Return once a web process that was killed answers, and the proxy has it."""
        own = ssl.create_default_context(cafile=str(self.certificate))

        def answers() -> bool:
            try:
                url = f"https://localhost:{self.port + web - 1}/"
                return urllib.request.urlopen(url, context=own, timeout=5).status == 200
            except OSError:
                return False

        # Only then: whoever was quick may not have been missed by the proxy at all.
        wait_for(answers, f"web process {web} answers again", seconds)
        self.proxy.wait_until_up(web)

    def worker_of(self, meeting: str) -> str:
        """The name of the media worker that carries ``meeting``; empty while none does."""
        rows = self.parts.postgresql.ask(
            "SELECT w.name FROM media_placement p JOIN media_mediaworker w ON w.id = p.worker_id"
            " WHERE p.meeting_id = %s AND p.ended_at IS NULL",
            meeting,
        )
        return str(rows[0][0]) if rows else ""

    def next_worker(self) -> str:
        """The name of the one that would get a room now."""
        rows = self.parts.postgresql.ask(
            "SELECT name FROM media_mediaworker WHERE present_until > now()"
            " ORDER BY participants, id LIMIT 1"
        )
        return str(rows[0][0]) if rows else ""

    def kill_web(self) -> None:
        for name in ("web", "web-2"):
            self.kill9(name)

    def kill_worker_of(self, meeting: str) -> None:
        if self.worker_of(meeting) == "worker-2":
            self.second_worker.kill()
            self.second_worker.start()
        else:
            self.kill9("media-worker")

    def lose_workers(self) -> None:
        super().lose_workers()
        self.second_worker.kill()

    def regain_workers(self) -> None:
        super().regain_workers()
        self.second_worker.start()

    def read_mail_files(self) -> list[EmailMessage]:
        return self.parts.smtp.mails()


def is_asked_for() -> bool:
    """By CONSILIUM_TEST_FITTING=full, which takes the flows and the faults here."""
    return os.environ.get("CONSILIUM_TEST_FITTING") == "full"


def fitting() -> type[Installation]:
    """The kind of installation that this run is on."""
    return FullInstallation if is_asked_for() else Installation
