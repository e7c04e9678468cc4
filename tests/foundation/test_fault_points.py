"""Places at which a process dies if a test wants it, and never otherwise."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from consilium import environment
from consilium.environment import SettingsWrong
from foundation import fault_points

HERE = "from foundation.fault_points import reached; reached('here'); reached('there')"


def run(order: Path | None) -> int:
    """How a process ended that came by two points."""
    told = {fault_points.VARIABLE: str(order)} if order else {}
    given = {"PYTHONPATH": os.environ.get("PYTHONPATH", ":".join(sys.path)), **told}
    return subprocess.run([sys.executable, "-c", HERE], env=given, check=False).returncode


def test_who_reaches_the_point_that_is_named_dies_once(tmp_path: Path):
    order = tmp_path / "order"
    for point in ("here", "there"):
        order.write_text(f"{point}\n")
        assert run(order) == -signal.SIGKILL
        assert not order.exists()
        assert run(order) == 0


def test_who_comes_by_another_point_or_was_told_nothing_goes_on(tmp_path: Path):
    order = tmp_path / "order"
    order.write_text("elsewhere")
    assert run(order) == 0
    assert order.exists()
    order.write_text("here")
    assert run(None) == 0


def test_production_does_not_start_with_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(fault_points.VARIABLE, str(tmp_path / "order"))
    assert environment.load().fault_point == tmp_path / "order"
    monkeypatch.setenv("CONSILIUM_PRODUCTION", "1")
    with pytest.raises(SettingsWrong, match="CONSILIUM_FAULT_POINT: it has no place in production"):
        environment.load()


def test_each_point_is_one_line():
    root = Path(__file__).parents[2]
    points = Counter(
        point
        for top in ("apps", "platform", "media_worker")
        for path in (root / top).rglob("*.py")
        for point in re.findall(r'reached\("([a-z._]+)"\)', path.read_text())
    )
    assert len(points) >= 13
    assert set(points.values()) == {1}
