"""One process by itself, as containers and units run it (what it becomes: ``tests/deploy``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from consilium import unit
from tests.servers.processes import free_ports


@pytest.fixture(autouse=True)
def nobody_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONSILIUM_DATA", str(tmp_path))
    monkeypatch.setenv("CONSILIUM_PORT", str(free_ports(1)))
    monkeypatch.setattr(unit, "CHECK_SECONDS", 0.3)


def test_the_check_of_a_web_process_that_does_not_answer_fails() -> None:
    assert unit.main(["web", "--check"]) == 1


def test_a_wrong_environment_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSILIUM_PORT", "many")
    assert unit.main(["celery"]) == 2
    assert capsys.readouterr().err == "CONSILIUM_PORT: 'many' is not a port number\n"


def test_a_certificate_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("CONSILIUM_CERTIFICATE", "CONSILIUM_CERTIFICATE_KEY"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere.pem"))
    assert unit.main(["web"]) == 2
    assert capsys.readouterr().err.startswith("CONSILIUM_CERTIFICATE: ")


def test_only_what_there_is_can_be_started(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        unit.main(["database"])
    assert "invalid choice" in capsys.readouterr().err
