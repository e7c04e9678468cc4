"""A real PostgreSQL: a cluster of its own, reached over TLS with a password, by a role that owns
its database and is no superuser.

The server refuses to run as root; then it runs as ``nobody``. Nothing in it is worth a flush.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from tests.servers import authority
from tests.servers.processes import free_ports
from tests.servers.server import Server, artefacts, small_environment

ROLE = "consilium"
NOT_ROOT = "nobody"


def programs() -> Path:
    """Debian keeps them apart by version and outside of PATH; the newest there is."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name)
    )
    assert found, "there is no PostgreSQL here; deploy/native/packages.sh test installs it"
    return found[-1]


class PostgreSQL(Server):
    """``start`` returns once the database is there. Its data lie outside the test's directory,
    which root keeps closed.
    """

    def __init__(self, tls: authority.Certificate, name: str = "postgresql") -> None:
        super().__init__("postgresql", artefacts(name) / "postgresql.log")
        self.tls = tls
        self.port = free_ports(1)
        self.password = secrets.token_urlsafe(24)
        self._owner_password = secrets.token_urlsafe(24)
        self._directory: Path | None = None

    @property
    def url(self) -> str:
        """As ``DATABASE_URL`` takes it: its certificate is checked."""
        options = urlencode({"sslmode": "verify-full", "sslrootcert": self.tls.authority})
        return f"postgresql://{ROLE}:{self.password}@localhost:{self.port}/consilium?{options}"

    def start(self) -> None:
        """A new cluster the first time; the same again after ``kill`` or ``stop``."""
        if self._directory is None:
            self._directory = self._made_cluster()
            self._run()
            self._make_database()
        else:
            self._run()

    def remove(self) -> None:
        """Stop, and leave nothing."""
        self.stop()
        if self._directory is not None:
            shutil.rmtree(self._directory)
            self._directory = None

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """The rows of a query, as the owner of the whole server."""
        with self._connect("consilium") as connection:
            return connection.execute(sql, values).fetchall()

    # ------------------------------------------------------------------ inside
    def _made_cluster(self) -> Path:
        directory = Path(tempfile.mkdtemp(prefix="consilium-postgresql-"))
        for source, name in ((self.tls.certificate, "cert.pem"), (self.tls.key, "key.pem")):
            shutil.copy(source, directory / name)
            (directory / name).chmod(0o600)
        (directory / "owner").write_text(self._owner_password)
        if os.geteuid() == 0:
            user = pwd.getpwnam(NOT_ROOT)
            for path in (directory, *directory.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)
        done = subprocess.run(
            self._as_somebody(
                *(str(programs() / "initdb"), "--pgdata", str(directory / "data")),
                *("--username", "owner", "--pwfile", str(directory / "owner")),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
                "--no-sync",
            ),
            env=small_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"initdb:\n{done.stdout}{done.stderr}"
        return directory

    def _run(self) -> None:
        assert self._directory is not None
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": self._directory / "cert.pem",
            "ssl_key_file": self._directory / "key.pem",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        self._launch(
            self._as_somebody(
                *(str(programs() / "postgres"), "-D", str(self._directory / "data")),
                *("-p", str(self.port)),
                *(word for item in settings.items() for word in ("-c", "{}={}".format(*item))),
            ),
            small_environment(),
        )
        self._wait_while_running(self._accepts, "a server that answers", 20.0)

    def _accepts(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_database(self) -> None:
        with self._connect("postgres") as connection:
            connection.autocommit = True
            # CREATEDB: pytest-django makes databases of its own beside this one.
            connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{self.password}'")
            connection.execute(f"CREATE DATABASE consilium OWNER {ROLE}")

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="localhost",
            hostaddr="127.0.0.1",
            port=self.port,
            user="owner",
            password=self._owner_password,
            dbname=database,
            sslmode="verify-full",
            sslrootcert=str(self.tls.authority),
            connect_timeout=5,
        )

    def _as_somebody(self, *command: str) -> list[str]:
        """Not root. The death signal is asked for anew: changing who one is clears it."""
        if os.geteuid() != 0:
            return list(command)
        user = pwd.getpwnam(NOT_ROOT)
        return [
            *("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
            *("--pdeathsig", "KILL", "--", *command),
        ]
