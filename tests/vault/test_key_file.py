"""The local key file: for its owner only, and nothing but what it should be."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from foundation.keys import KeyServiceError, WrapRefused, localfile
from foundation.keys.localfile import LocalKeyFile

CONTEXT = {"organisation": "one", "key": "k"}
KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def path(tmp_path) -> Path:
    path = tmp_path / "keys" / "master.json"
    assert localfile.create(path)
    return path


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "hostile.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(0o600)
    return path


def test_a_new_file_is_for_its_owner_only(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == [path.name], "nothing is left lying about"


def test_a_second_start_keeps_the_key(path):
    before = path.read_bytes()
    assert not localfile.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o602, 0o644, 0o777, 0o610])
def test_a_file_open_to_others_is_refused(path, mode):
    path.chmod(mode)
    with pytest.raises(KeyServiceError, match="owner only"):
        LocalKeyFile(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(KeyServiceError):
        LocalKeyFile(tmp_path / "nothing.json")
    with pytest.raises(KeyServiceError):
        LocalKeyFile(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "[" * 2000,
        "null",
        [],
        "7",
        {},
        {"version": 1},
        {"version": 1, "active": "a", "keys": []},
        {"version": 1, "active": "a", "keys": None},
        {"version": 1, "active": "a", "keys": "text"},
        {"version": 1, "active": "a", "keys": {}},
        {"version": 1, "active": "b", "keys": {"a": KEY}},
        {"version": 1, "active": ["a"], "keys": {"a": KEY}},
        {"version": 1, "active": None, "keys": {"a": KEY}},
        {"version": 2, "active": "a", "keys": {"a": KEY}},
        {"version": "1", "active": "a", "keys": {"a": KEY}},
        {"active": "a", "keys": {"a": KEY}},
        {"version": 1, "active": "a", "keys": {"a": 7}},
        {"version": 1, "active": "a", "keys": {"a": None}},
        {"version": 1, "active": "a", "keys": {"a": "%%%"}},
        {"version": 1, "active": "a", "keys": {"a": ""}},
        {"version": 1, "active": "a", "keys": {"a": base64.b64encode(b"k" * 16).decode()}},
        {"version": 1, "active": "a", "keys": {"a": base64.b64encode(b"k" * 31).decode()}},
        {"version": 1, "active": "a", "keys": {"a": KEY, "old": "c2hvcnQ="}},
    ],
)
def test_a_hostile_file_is_refused(tmp_path, content):
    with pytest.raises(KeyServiceError) as caught:
        LocalKeyFile(written(tmp_path, content))
    assert KEY not in str(caught.value)


def test_a_broken_file_is_not_repeated_in_the_error(tmp_path):
    path = written(tmp_path, f'{{"version": 1, "active": "a", "keys": {{"a": "{KEY}"')
    with pytest.raises(KeyServiceError) as caught:
        LocalKeyFile(path)
    assert KEY not in str(caught.value)


def test_a_wrap_opens_in_its_context_only(path):
    service = LocalKeyFile(path)
    wrapped = service.wrap(b"secret", CONTEXT)
    assert service.unwrap(wrapped, CONTEXT) == b"secret"
    assert service.unwrap(wrapped, dict(reversed(CONTEXT.items()))) == b"secret"
    for other in (
        {},
        {"organisation": "two", "key": "k"},
        {"organisation": "one"},
        {**CONTEXT, "more": ""},
        {"organisation": "k", "key": "one"},
    ):
        with pytest.raises(WrapRefused):
            service.unwrap(wrapped, other)


def test_every_changed_byte_of_a_wrap_is_noticed(path):
    service = LocalKeyFile(path)
    wrapped = service.wrap(b"secret", CONTEXT)
    for at in range(len(wrapped)):
        changed = wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :]
        with pytest.raises(WrapRefused):
            service.unwrap(changed, CONTEXT)
    for length in range(len(wrapped)):
        with pytest.raises(WrapRefused):
            service.unwrap(wrapped[:length], CONTEXT)


def test_an_older_key_still_unwraps_after_rotation(tmp_path):
    old = written(tmp_path, {"version": 1, "active": "a", "keys": {"a": KEY}})
    wrapped = LocalKeyFile(old).wrap(b"secret", CONTEXT)
    newer = base64.b64encode(b"n" * 32).decode()
    rotated = written(tmp_path, {"version": 1, "active": "b", "keys": {"a": KEY, "b": newer}})
    assert LocalKeyFile(rotated).unwrap(wrapped, CONTEXT) == b"secret"
    without = written(tmp_path, {"version": 1, "active": "b", "keys": {"b": newer}})
    with pytest.raises(WrapRefused):
        LocalKeyFile(without).unwrap(wrapped, CONTEXT)


def test_the_service_shows_no_key(path):
    key = next(iter(json.loads(path.read_text())["keys"].values()))
    assert key not in repr(LocalKeyFile(path))


def test_two_wraps_of_one_secret_differ(path):
    service = LocalKeyFile(path)
    assert service.wrap(b"secret", CONTEXT) != service.wrap(b"secret", CONTEXT)


def test_nothing_personal_is_sealed_before_the_vault_has_started(monkeypatch):
    from foundation.keys import personal

    monkeypatch.setattr(personal, "_sealer", None)
    with pytest.raises(RuntimeError, match="vault"):
        personal.seal(None, "label", "text")
    with pytest.raises(RuntimeError, match="vault"):
        personal.open_sealed("label", "text")
