"""Upper imports lower only, and the linter that says so would notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("platform", "apps", ".")
CONFIGURATION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]

#: A line that must not be written, and the file in which it would be wrong.
PLANTED = {
    "a lower context imports an upper one": ("apps/access/planted.py", "import meetings.models"),
    "a neighbour imports its neighbour": ("apps/vault/planted.py", "import access.policy"),
    "a brick imports a context": ("platform/foundation/planted.py", "import audit.trail"),
    "a context imports the composition root": ("apps/media/planted.py", "import consilium.celery"),
    "recordings import the signaling above them": (
        "apps/recordings/planted.py",
        "import signaling.handlers",
    ),
    "media import the recordings above them": (
        "apps/media/planted.py",
        "import recordings.films.plan",
    ),
    "the worker imports the server": ("media_worker/planted.py", "import consilium"),
    "the worker imports the house's errors": (
        "media_worker/planted.py",
        "from foundation.errors import PROBLEMS",
    ),
    "sealing imports a context": (
        "platform/foundation/sealing/planted.py",
        "import vault.models",
    ),
    "the worker imports the storage": (
        "media_worker/planted.py",
        "from foundation.blobs.local import LocalBlobs",
    ),
    "the server imports the worker": ("apps/signaling/planted.py", "import media_worker.rooms"),
    "an import hides in a function": (
        "apps/outbox/planted.py",
        "def late():\n    from accounts import models\n    return models",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The sources and their contracts, where a line may be planted."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("platform", "apps", "media_worker"):
        shutil.copytree(
            REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    return root


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(root / part) for part in SOURCE_ROOTS),
    }
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_contract_is_kept(copy):
    linted = lint(copy)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "0 broken" in linted.stdout


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_import_breaks_a_contract(copy, what):
    path, line = PLANTED[what]
    planted = copy / path
    planted.write_text(f"{line}\n")
    try:
        linted = lint(copy)
    finally:
        planted.unlink()
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert "BROKEN" in linted.stdout


def test_the_worker_may_import_what_seals_segments(copy):
    planted = copy / "media_worker" / "planted.py"
    planted.write_text("from foundation.sealing import records, runs\n")
    try:
        linted = lint(copy)
    finally:
        planted.unlink()
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_every_app_is_placed_in_the_layers():
    layers = CONFIGURATION["contracts"][0]["layers"]
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    apps = {folder.name for folder in (REPOSITORY / "apps").iterdir() if folder.is_dir()}
    apps -= {"__pycache__"}
    assert placed == apps | {"consilium", "foundation"}
    assert set(CONFIGURATION["root_packages"]) == placed | {"media_worker"}


def test_the_worker_is_forbidden_every_app():
    forbidden = set(CONFIGURATION["contracts"][1]["forbidden_modules"])
    apps = {folder.name for folder in (REPOSITORY / "apps").iterdir() if folder.is_dir()}
    assert apps - {"__pycache__"} | {"consilium"} <= forbidden
