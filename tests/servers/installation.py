"""A whole installation, as ``make run`` starts it, with data of its own and on ports of its own.

Web, media worker, Celery and beat are real processes under the real supervisor. Everything it
writes goes to ``build/artefacts/<name>/installation.log``.
"""

from __future__ import annotations

import email
import json
import os
import re
import shutil
import signal
import sqlite3
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default as modern_policy
from pathlib import Path
from typing import Any

from tests.servers.processes import REPOSITORY, free_ports, is_alive, wait_for
from tests.servers.server import PYTHON, Server, artefacts, small_environment

# Several imports of Django and aiortc at once on a busy machine with two cores.
READY_SECONDS = 90.0

# Django's file backend ends every mail in a file with this line.
_BETWEEN_MAILS = re.compile(r"^-{79}\n", re.MULTILINE)

#: Static files are collected once and copied then: it takes longer than all else of ``prepare``.
COLLECTED = REPOSITORY / "build" / "tests" / "static"

PERSON = re.compile(
    r"^  (?P<name>\S.*) \((?P<role>[a-z ]+)\)\n"
    r"    e-mail    (?P<email>\S+)\n"
    r"    password  (?P<password>\S+)\n"
    r"    TOTP key  (?P<totp>\S+)$",
    re.MULTILINE,
)


def _keep_static(data: Path) -> None:
    """For the next installation. Whoever else keeps them at the same moment keeps the same."""
    made_of, kept = data / "static.made-of", COLLECTED / "static.made-of"
    if not made_of.exists() or (kept.exists() and kept.read_text() == made_of.read_text()):
        return
    new, old = (COLLECTED.with_name(f"static-{kind}-{os.getpid()}") for kind in ("new", "old"))
    shutil.copytree(data / "static", new / "static")
    shutil.copy(made_of, new)
    with suppress(OSError):
        COLLECTED.rename(old)
    with suppress(OSError):
        new.rename(COLLECTED)
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)


_WORKERS = "from media.models import MediaWorker; MediaWorker.objects.update(state={state!r})"


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the demo prints once about a person it made."""

    name: str
    role: str
    email: str
    password: str
    totp: str


class Installation(Server):
    """``start`` returns once the web answers; the rest may need a moment more."""

    #: What a browser needs beside the usual to take part in calls here.
    browser_flags: tuple[str, ...] = ()

    def __init__(self, directory: Path, name: str = "installation", **settings: str) -> None:
        super().__init__("installation", artefacts(name) / "installation.log")
        self.directory = directory
        self.data = directory / "data"
        self.ready_file = directory / "ready.json"
        self.port = free_ports(int(settings.get("CONSILIUM_WEB_PROCESSES", "1")))
        self.environment = small_environment(
            **{
                "PYTHONPATH": ":".join(
                    str(REPOSITORY / root) for root in ("platform", "apps", ".")
                ),
                "CONSILIUM_DATA": str(self.data),
                "CONSILIUM_PORT": str(self.port),
                "CONSILIUM_DEMO": "1",
                "CONSILIUM_WORKER_ADDRESSES": "127.0.0.1",
                **settings,
            }
        )
        self.people: dict[str, SignIn] = {}
        """By e-mail address; the demo prints them at the first start only."""

    @property
    def door(self) -> int:
        """The port by which people come in: the web's own, unless a proxy stands before it."""
        return self.port

    @property
    def url(self) -> str:
        return f"https://localhost:{self.door}"

    @property
    def certificate(self) -> Path:
        """What a client has to trust."""
        return self.data / "tls" / "certificate.pem"

    @property
    def database(self) -> Path:
        """The SQLite file, unless DATABASE_URL was given."""
        return self.data / "consilium.sqlite3"

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What lies in the database, seen from outside; ``?`` stands for a value."""
        database = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(sql, values).fetchall()
        finally:
            database.close()

    def cells(self) -> Iterator[tuple[str, Any]]:
        """``table.column`` and content of everything that lies in the database."""
        for table, columns in self._columns().items():
            for row in self.ask(f'SELECT * FROM "{table}"'):
                yield from zip([f"{table}.{column}" for column in columns], row, strict=True)

    def _columns(self) -> dict[str, list[str]]:
        tables = [name for (name,) in self.ask("SELECT name FROM sqlite_master WHERE type='table'")]
        return {
            table: [row[1] for row in self.ask(f'PRAGMA table_info("{table}")')] for table in tables
        }

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def start(self) -> None:
        """Start or start again on the same data."""
        self.ready_file.unlink(missing_ok=True)
        if not self.data.exists() and COLLECTED.exists():
            # ``prepare`` looks whether it is of the files as they are now.
            shutil.copytree(COLLECTED, self.data)
            self.data.chmod(0o700)
        self._launch(
            [PYTHON, "-m", "consilium.supervisor", "--ready-file", self.ready_file],
            self.environment,
        )
        self._wait_while_running(self.ready_file.exists, "the web answers", READY_SECONDS)
        for found in PERSON.finditer(self.text):
            self.people[found["email"]] = SignIn(**found.groupdict())
        _keep_static(self.data)

    def wait_for_web(self, seconds: float = 30.0) -> None:
        """Return once the web answers again, after it was killed."""

        def answers() -> bool:
            try:
                return self.get("/")[0] < 500
            except OSError:
                return False

        self._wait_while_running(answers, "the web answers again", seconds)

    def wait_for_worker(self, seconds: float = 20.0) -> None:
        """Return once the media worker, as it is running now, says that it is linked."""
        self.wait_for_log(r"media-worker\s+\|.*linked to the platform", seconds)

    # ------------------------------------------------------------------ its processes
    def pids(self) -> dict[str, int]:
        """Process ids by name: web, web-2, …, media-worker, celery, beat."""
        pids: dict[str, int] = json.loads(self.ready_file.read_text(encoding="utf-8"))["pids"]
        return pids

    def pid_of(self, name: str) -> int:
        """The process that runs now under ``name``."""
        return wait_for(
            lambda: (pid := self.pids().get(name, 0)) and is_alive(pid) and pid, f"{name} runs"
        )

    def kill9(self, name: str) -> int:
        """SIGKILL the process called ``name``; returns the id it had."""
        pid = self.pid_of(name)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_alive(pid), f"the end of {name}")
        return pid

    def kill_web(self) -> None:
        """SIGKILL to every web process."""
        self.kill9("web")

    def kill_worker_of(self, meeting: str) -> None:
        """SIGKILL to the media worker that carries ``meeting``; somebody starts it again."""
        self.kill9("media-worker")

    def lose_workers(self) -> None:
        """SIGKILL to every media worker, and none that is started again is let in."""
        self.manage("shell", "--no-imports", "-c", _WORKERS.format(state="withdrawn"))
        self.kill9("media-worker")

    def regain_workers(self) -> None:
        """They are let in again."""
        self.manage("shell", "--no-imports", "-c", _WORKERS.format(state="enrolled"))

    def wait_for_restart(self, name: str, old: int, seconds: float = 15.0) -> int:
        """The id of the process that took the place of ``old``."""
        return wait_for(
            lambda: (pid := self.pids().get(name, old)) != old and is_alive(pid) and pid,
            f"{name} runs again",
            seconds,
        )

    # ------------------------------------------------------------------ what it says and does
    def manage(self, *arguments: str, seconds: float = 60.0) -> str:
        """Run a management command on its data; returns what that printed."""
        result = subprocess.run(
            [PYTHON, REPOSITORY / "manage.py", *arguments],
            check=False,
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert result.returncode == 0, f"manage.py {arguments[0]}:\n{result.stdout}{result.stderr}"
        return result.stdout

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a plain request without cookies; redirects are followed."""
        try:
            with urllib.request.urlopen(
                self.url + path, context=self.trust(), timeout=10
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode(errors="replace")

    def read_mail_files(self) -> list[EmailMessage]:
        """Every mail it has sent so far, the oldest first."""
        mails: list[EmailMessage] = []
        for file in sorted((self.data / "mail").glob("*.log")):  # named by date and time
            for text in _BETWEEN_MAILS.split(file.read_text(encoding="utf-8")):
                if text.strip():
                    mail = email.message_from_string(text.lstrip("\n"), policy=modern_policy)
                    assert isinstance(mail, EmailMessage)
                    mails.append(mail)
        return mails

    def wait_for_mail(self, recipient: str, number: int = 1, seconds: float = 20.0) -> EmailMessage:
        """The ``number``-th mail to ``recipient``, counted from 1."""

        def arrived() -> list[EmailMessage]:
            mails = [mail for mail in self.read_mail_files() if recipient in str(mail["To"])]
            return mails[number - 1 : number]

        return self._wait_while_running(arrived, f"mail {number} to {recipient}", seconds)[0]

    def places(self) -> dict[str, bytes]:
        """What lies where, for searches. Mails are left out: names and codes are sent there."""
        mails = self.data / "mail"
        files: dict[str, bytes] = {}
        for path in sorted(self.data.rglob("*")):
            if path.is_file() and mails not in path.parents:
                with suppress(FileNotFoundError):  # a segment that was shipped meanwhile
                    files[str(path.relative_to(self.data))] = path.read_bytes()
        return {**files, "log": self.log.read_bytes()}

    def dump(self) -> bytes:
        """Every cell of the database, one after the other."""
        cells = (cell for _, cell in self.cells())
        return b"\0".join(c if isinstance(c, bytes) else str(c).encode() for c in cells)
