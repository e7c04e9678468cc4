"""Preparing: what is missing is made, what is lost is not made anew, mistakes are one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consilium.management.commands.prepare import make_missing_keys
from foundation.keys import KeyServiceError, localfile
from tests.servers.processes import REPOSITORY
from vault import keyring
from vault.models import OrganisationKey, SigningKey


@pytest.fixture
def key_path(db, tmp_path: Path, settings) -> Path:
    """A key file of the test's own, and a database that knows no key yet."""
    settings.KEY_FILE = tmp_path / "keys" / "local.json"
    keyring.forget_cached_keys()
    return settings.KEY_FILE


def again() -> None:
    """As the next start does it, in a process that remembers nothing."""
    keyring.forget_cached_keys()
    make_missing_keys()


def test_what_is_missing_is_made_once(key_path: Path) -> None:
    make_missing_keys()
    assert key_path.stat().st_mode & 0o777 == 0o600
    before = key_path.read_bytes(), OrganisationKey.objects.get().pk, SigningKey.objects.count()
    again()
    assert (key_path.read_bytes(), OrganisationKey.objects.get().pk) == before[:2]
    assert SigningKey.objects.count() == before[2] == len(SigningKey.Purpose)


def test_a_lost_key_file_is_not_replaced_by_one_that_opens_nothing(key_path: Path) -> None:
    make_missing_keys()
    key_path.unlink()
    with pytest.raises(KeyServiceError, match="is missing, and the database is sealed under it"):
        again()
    assert not key_path.exists()


def test_a_key_file_of_another_installation_is_refused(key_path: Path) -> None:
    make_missing_keys()
    key_path.unlink()
    localfile.create(key_path)
    with pytest.raises(KeyServiceError, match="is not the key file under which"):
        again()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}'])
def test_a_damaged_key_file_is_refused(key_path: Path, content: str) -> None:
    make_missing_keys()
    key_path.write_text(content)
    with pytest.raises(KeyServiceError, match="can't be used"):
        again()


def test_a_key_file_that_others_may_read_is_refused(key_path: Path) -> None:
    make_missing_keys()
    key_path.chmod(0o640)
    with pytest.raises(KeyServiceError, match="must be readable by its owner only"):
        again()


def prepare(data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, REPOSITORY / "manage.py", "prepare"],
        check=False,
        env={"PATH": os.environ["PATH"], "CONSILIUM_DATA": str(data), **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_key_file_that_is_a_directory_is_one_line(tmp_path: Path) -> None:
    result = prepare(tmp_path / "data", CONSILIUM_KEY_FILE=str(tmp_path))
    assert result.returncode == 2
    assert result.stderr == (
        f"CONSILIUM_KEY_FILE: the key file {tmp_path} can't be used: it is a directory.\n"
    )


def test_a_database_that_is_not_there_is_one_line_without_its_password(tmp_path: Path) -> None:
    result = prepare(tmp_path / "data", DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/x")
    assert result.returncode == 2
    assert result.stderr.startswith("The database cannot be used: connection failed")
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr + result.stdout


def test_a_damaged_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "consilium.sqlite3").write_text("no database " * 100)
    result = prepare(tmp_path / "data")
    assert result.returncode == 2
    assert result.stderr == "The database cannot be used: file is not a database.\n"


def test_a_storage_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    result = prepare(tmp_path / "data", CONSILIUM_STORAGE_URL="file:///proc/blobs")
    assert result.returncode == 2
    assert result.stderr == (
        "CONSILIUM_STORAGE_URL: /proc/blobs cannot hold blobs (No such file or directory):"
        " it must be a directory of ours, on a file system with hard links.\n"
    )


def test_a_storage_that_is_away_is_said_and_keeps_nobody_from_starting(tmp_path: Path) -> None:
    result = prepare(
        tmp_path / "data",
        CONSILIUM_STORAGE_URL="s3://recordings?endpoint=https://127.0.0.1:1",
        CONSILIUM_STORAGE_ACCESS_KEY="access",
        CONSILIUM_STORAGE_SECRET_KEY="hunter2",
    )
    assert result.returncode == 0
    assert result.stderr.startswith("The storage cannot be reached, and nothing can be kept: ")
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr + result.stdout
