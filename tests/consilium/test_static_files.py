"""Scripts as they are collected: modules of two versions can never meet, and workers may run."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from consilium import static_files

#: Whatever names another script by where it lies, also where no rewriting knows of it.
_NAMES_A_SCRIPT = re.compile(r"""["'`](?P<url>\.{1,2}/[^"'`\s]*\.js)["'`]""")
_HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@pytest.fixture
def collected(tmp_path: Path, settings) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "consilium.static_files.HashedFiles"},
    }
    call_command("collectstatic", verbosity=0, interactive=False)
    return tmp_path


def manifest(collected: Path) -> dict[str, str]:
    return json.loads((collected / "staticfiles.json").read_text())["paths"]


def test_every_module_names_others_by_their_hash(collected: Path) -> None:
    named = 0
    for script, hashed in manifest(collected).items():
        if not script.startswith("js/") or not script.endswith(".js"):
            continue
        code = _COMMENT.sub("", (collected / hashed).read_text())
        for found in _NAMES_A_SCRIPT.finditer(code):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(hashed), found["url"]))
            assert _HASHED.search(target), f"{script} names {found['url']}"
            assert target in manifest(collected).values(), f"{script} names {found['url']}"
            named += 1
    assert named > 50


def test_the_heartbeats_worker_is_named_by_its_hash(collected: Path) -> None:
    worker = manifest(collected)["js/signal/heartbeat-worker.js"]
    code = (collected / manifest(collected)["js/signal/heartbeat.js"]).read_text()
    assert f'new URL("./{posixpath.basename(worker)}", import.meta.url)' in code


def test_scripts_come_with_the_headers_a_worker_needs(collected: Path) -> None:
    worker = manifest(collected)["js/signal/heartbeat-worker.js"]
    answer = Client(headers={"host": "localhost"}).get(f"/static/{worker}", secure=True)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "immutable" in answer["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer


def test_they_are_collected_again_only_when_one_of_them_changed(tmp_path: Path, settings) -> None:
    mine = tmp_path / "mine" / "word.txt"
    mine.parent.mkdir()
    mine.write_text("one")
    settings.STATICFILES_DIRS = [mine.parent]
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "consilium.static_files.HashedFiles"},
    }
    lies_there = tmp_path / "static" / "word.txt"
    static_files.collect()
    assert lies_there.read_text() == "one"
    lies_there.unlink()
    static_files.collect()
    assert not lies_there.exists(), "nothing changed"
    mine.write_text("another")
    static_files.collect()
    assert lies_there.read_text() == "another"
    # What was collected halfway or taken away is collected as if it had never been.
    (tmp_path / "static" / "staticfiles.json").unlink()
    lies_there.unlink()
    static_files.collect()
    assert lies_there.read_text() == "another"
    assert not list((tmp_path / "static").glob("*made-of*")), "that is nobody's business"
