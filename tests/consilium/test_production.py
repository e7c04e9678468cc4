"""Production is refused, with a sentence for each part and secret that is not fit for patients."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from consilium import production
from consilium.environment import CANNOT_START, Environment
from tests.servers.processes import REPOSITORY, free_ports

#: Nothing of it can be reached, and nothing is asked for.
STRONG = {
    "CONSILIUM_PRODUCTION": "1",
    "CONSILIUM_SECRET_KEY": "5c1d8ab94f3e60727bd0c6f1a2e9384756",
    "DATABASE_URL": "postgresql://consilium:uH7kQ2mZp9Xw4RtY@db.example.test/consilium",
    "REDIS_URL": "rediss://:Bn3vL8sDq6Fj1GhT@redis.example.test",
    "SMTP_URL": "smtp://consilium:Wd5cK9xPz2Vb7NmA@mail.example.test",
    "TURN_URLS": "turns:turn.example.test:443?transport=tcp",
    "TURN_SECRET": "Er4tY6uI8oP0aSdF",
    "CONSILIUM_STORAGE_URL": "s3://recordings?endpoint=https://s3.example.test",
    "CONSILIUM_STORAGE_ACCESS_KEY": "somebody",
    "CONSILIUM_STORAGE_SECRET_KEY": "Gh1jK3lZ5xC7vB9n",
}


@pytest.fixture
def sentences(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """What is wrong with ``STRONG`` and these changes; None takes a variable away."""
    monkeypatch.setenv("CONSILIUM_DATA", str(tmp_path))

    def ask(inherited: dict[str, str] | None = None, **changes: str | None) -> list[str]:
        for name, value in {**STRONG, **changes}.items():
            monkeypatch.setenv(name, value or "")
        return production.mistakes(Environment(), inherited or {})

    return ask


def test_real_parts_and_strong_secrets_are_let_through(sentences):
    assert sentences() == []


@pytest.mark.parametrize(
    ("change", "begins", "advice"),
    [
        ({"DATABASE_URL": None}, "DATABASE_URL must be set", "postgresql://"),
        ({"REDIS_URL": None}, "REDIS_URL must be set", "rediss://"),
        ({"SMTP_URL": None}, "SMTP_URL must be set", "smtp://"),
        ({"CONSILIUM_SECRET_KEY": None}, "CONSILIUM_SECRET_KEY must be set", "openssl rand"),
        ({"TURN_URLS": None, "TURN_SECRET": None}, "TURN_URLS must name", "turns:"),
        ({"TURN_URLS": "turn:turn.example.test:3478"}, "TURN_URLS must name", "turns:"),
        ({"CONSILIUM_STORAGE_URL": "file:///srv/blobs"}, "CONSILIUM_STORAGE_URL must be", "s3://"),
        ({"CONSILIUM_DEMO": "1"}, "CONSILIUM_DEMO has no place", "set it to 0"),
        (
            {"DATABASE_URL": f"{STRONG['DATABASE_URL']}?sslmode=require"},
            "DATABASE_URL must not weaken",
            "verify-full",
        ),
        (
            {"REDIS_URL": "redis://:Bn3vL8sDq6Fj1GhT@redis.example.test"},
            "REDIS_URL must begin",
            "rediss://",
        ),
        (
            {"REDIS_URL": f"{STRONG['REDIS_URL']}?ssl_cert_reqs=none"},
            "REDIS_URL must not change",
            "leave ssl_",
        ),
        ({"REDIS_URL": "rediss://redis.example.test"}, "REDIS_URL must hold", "openssl rand"),
        (
            {"DATABASE_URL": "postgresql://consilium@db.example.test/consilium"},
            "DATABASE_URL must hold",
            "openssl rand",
        ),
        (
            {"DATABASE_URL": "postgresql://consilium:hunter2@db.example.test/consilium"},
            "the password in DATABASE_URL can be guessed",
            "openssl rand",
        ),
        ({"TURN_SECRET": "CHANGE-ME-to-something"}, "TURN_SECRET can be guessed", "openssl rand"),
        (
            {"CONSILIUM_SECRET_KEY": "1212121212121212121212121212121212"},
            "CONSILIUM_SECRET_KEY can be guessed",
            "openssl rand",
        ),
        (
            {"CONSILIUM_STORAGE_SECRET_KEY": "short"},
            "CONSILIUM_STORAGE_SECRET_KEY can be guessed",
            "openssl rand",
        ),
        (
            {"TURN_SECRET": STRONG["CONSILIUM_SECRET_KEY"]},
            "TURN_SECRET holds the same secret as CONSILIUM_SECRET_KEY",
            "openssl rand",
        ),
    ],
)
def test_each_mistake_is_one_sentence_that_says_what_to_do(sentences, change, begins, advice):
    [sentence] = sentences(**change)
    assert sentence.startswith(begins)
    assert advice in sentence
    for secret in ("hunter2", "Bn3vL8sDq6Fj1GhT", STRONG["CONSILIUM_SECRET_KEY"]):
        assert secret not in sentence


def test_a_variable_of_the_driver_cannot_weaken_it_either(sentences):
    [sentence] = sentences(inherited={"PGSSLMODE": "prefer"})
    assert sentence.startswith("DATABASE_URL must not weaken")


def test_on_this_machine_alone_nothing_needs_to_be_encrypted(sentences):
    assert (
        sentences(
            DATABASE_URL="postgresql://consilium:uH7kQ2mZp9Xw4RtY@localhost/consilium",
            REDIS_URL="redis://127.0.0.1",
        )
        == []
    )


def test_a_key_file_that_others_may_read(sentences, tmp_path: Path):
    key_file = tmp_path / "keys" / "local.json"
    key_file.parent.mkdir()
    key_file.touch(mode=0o600)
    assert sentences() == []
    key_file.chmod(0o640)
    [sentence] = sentences()
    assert sentence.startswith(f"CONSILIUM_KEY_FILE: {key_file} can be read by others: chmod 600")


def test_the_cookie_key_that_a_demo_made(sentences, tmp_path: Path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "cookie-key").write_text(STRONG["CONSILIUM_SECRET_KEY"])
    (tmp_path / "keys" / "local.json").touch(mode=0o600)
    [sentence] = sentences()
    assert sentence.startswith("CONSILIUM_SECRET_KEY is the one that a start without production")
    assert STRONG["CONSILIUM_SECRET_KEY"] not in sentence


def test_outside_production_embedded_parts_are_fine(monkeypatch: pytest.MonkeyPatch, tmp_path):
    from consilium import environment

    monkeypatch.setenv("CONSILIUM_DATA", str(tmp_path))
    assert not environment.load().production


#: Every process that an installation consists of and that holds its secrets.
PROCESSES = {
    "supervisor": ["-m", "consilium.supervisor"],
    "web": ["-m", "consilium.web", "consilium.asgi:application"],
    "celery": ["-m", "celery", "-A", "consilium.celery", "worker"],
    "beat": ["-m", "celery", "-A", "consilium.celery", "beat"],
    "prepare": ["manage.py", "prepare"],
    "check": ["manage.py", "check", "--deploy"],
}


def start(name: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    roots = ":".join(str(REPOSITORY / root) for root in ("platform", "apps", "."))
    return subprocess.run(
        [sys.executable, *PROCESSES[name]],
        check=False,
        cwd=REPOSITORY,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": roots,
            "CONSILIUM_DATA": str(data),
            "CONSILIUM_PORT": str(free_ports(2)),
            **settings,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_no_process_starts_on_embedded_parts_in_production(tmp_path: Path):
    settings = {"CONSILIUM_PRODUCTION": "1", "CONSILIUM_DEMO": "1"}
    with ThreadPoolExecutor(2) as two:
        ended = list(two.map(lambda name: start(name, tmp_path / name, **settings), PROCESSES))
    for name, result in zip(PROCESSES, ended, strict=True):
        assert result.returncode == CANNOT_START, (name, result.stderr)
        assert [line.split()[0] for line in result.stderr.splitlines()] == [
            "DATABASE_URL",
            "REDIS_URL",
            "SMTP_URL",
            "CONSILIUM_STORAGE_URL",
            "TURN_URLS",
            "CONSILIUM_DEMO",
            "CONSILIUM_SECRET_KEY",
        ], (name, result.stderr)
        assert not (tmp_path / name / "consilium.sqlite3").exists(), name


@pytest.mark.parametrize("name", ["supervisor", "web"])
def test_several_web_processes_without_redis_are_refused_everywhere(tmp_path: Path, name: str):
    result = start(name, tmp_path, CONSILIUM_WEB_PROCESSES="2")
    assert result.returncode == CANNOT_START
    assert result.stderr == (
        "CONSILIUM_WEB_PROCESSES: 2 web processes need REDIS_URL,"
        " because without it messages between them are lost\n"
    )
