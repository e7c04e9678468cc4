"""``platform/`` is a source root and must never become a package: the stdlib has that name."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = ("platform", "apps", ".")


def test_the_standard_library_keeps_its_platform_module():
    orders = [order for n in range(1, 4) for order in itertools.permutations(ROOTS, n)]
    program = "import platform, sys; assert platform.system(), platform"
    running = []
    for order in orders:
        path = os.pathsep.join(str(REPOSITORY / root) for root in order)
        running.append(
            subprocess.Popen(
                [sys.executable, "-S", "-c", program],
                cwd=REPOSITORY,
                env={"PYTHONPATH": path, "PATH": os.environ["PATH"]},
                stderr=subprocess.PIPE,
            )
        )
    for order, process in zip(orders, running, strict=True):
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, f"{order}: {errors.decode()}"


def test_no_package_shadows_the_source_roots_or_the_tests():
    assert not (REPOSITORY / "platform" / "__init__.py").exists()
    assert not (REPOSITORY / "apps" / "__init__.py").exists()
    assert not list((REPOSITORY / "tests").rglob("__init__.py"))


def test_no_package_of_ours_has_a_name_of_the_standard_library():
    ours = {
        folder.name
        for root in ("platform", "apps")
        for folder in (REPOSITORY / root).iterdir()
        if folder.is_dir()
    }
    assert not (ours | {"media_worker"}) & set(sys.stdlib_module_names)


def test_every_app_is_installed_and_none_is_empty():
    apps = {
        folder.name: folder
        for folder in (REPOSITORY / "apps").iterdir()
        if folder.is_dir() and folder.name != "__pycache__"
    }
    assert set(apps) <= set(settings.INSTALLED_APPS)
    shell = {"__init__.py", "apps.py"}
    for name, folder in apps.items():
        logic = [f for f in folder.rglob("*.py") if f.name not in shell and "def " in f.read_text()]
        assert logic, f"{name} holds nothing"
        assert (folder / "__init__.py").read_text().startswith('"""'), f"{name} says not what for"
