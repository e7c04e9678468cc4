"""How a worker gets its identity, and how it refuses to start."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media_worker import stock
from media_worker.settings import Settings, SettingsWrong, from_environment
from tests.media_worker.harness import CODE, Platform, Worker, make_certificate


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    one = Platform(tmp_path)
    await one.start()
    yield one
    await one.stop()


async def ended(worker: Worker) -> int:
    assert worker.process is not None
    return await asyncio.wait_for(worker.process.wait(), 10)


async def test_a_worker_enrols_once_and_spends_its_code(platform: Platform, tmp_path: Path) -> None:
    worker = Worker(tmp_path, platform)
    await worker.start()
    await asyncio.wait_for(platform.linked.wait(), 10)
    assert [enrol.name for enrol in platform.enrolled] == ["test-worker"]
    assert not worker.code_file.exists()
    assert stat.S_IMODE(worker.identity_file.stat().st_mode) == 0o600
    asked = time.monotonic()
    assert await worker.terminate() == 0
    assert time.monotonic() - asked < 3
    platform.linked.clear()
    await worker.start()
    await asyncio.wait_for(platform.linked.wait(), 10)
    assert len(platform.enrolled) == 1
    assert await worker.terminate() == 0
    assert CODE not in worker.log


async def test_a_wrong_code_is_reported_without_being_repeated(
    platform: Platform, tmp_path: Path
) -> None:
    worker = Worker(tmp_path, platform)
    worker.code_file.write_text("another-code-than-was-given")
    await worker.start()
    assert await ended(worker) == 1
    assert "refused the enrolment code" in worker.log
    assert "another-code" not in worker.log
    assert worker.code_file.exists()
    assert not worker.identity_file.exists()


async def test_a_platform_with_another_certificate_is_not_talked_to(
    platform: Platform, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other_ca, _ = make_certificate(elsewhere)
    worker = Worker(tmp_path, platform, CONSILIUM_WORKER_CA=str(other_ca))
    await worker.start()
    assert await ended(worker) == 1
    assert "SSLCertVerificationError" in worker.log
    assert platform.enrolled == []


async def test_without_a_code_it_says_what_to_do(platform: Platform, tmp_path: Path) -> None:
    worker = Worker(tmp_path, platform, CONSILIUM_WORKER_ENROLMENT_FILE="")
    await worker.start()
    assert await ended(worker) == 1
    assert "one-time code" in worker.log
    assert "Traceback" not in worker.log


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("{}", 0o600, "damaged"),
        ("not json", 0o600, "damaged"),
        ('{"worker":"x","link_path":"/","private_key":"AA=="}', 0o600, "damaged"),
        ("{}", 0o644, "chmod 600"),
    ],
)
async def test_a_bad_identity_file_stops_it(
    platform: Platform, tmp_path: Path, content: str, mode: int, words: str
) -> None:
    worker = Worker(tmp_path, platform)
    worker.identity_file.write_text(content)
    worker.identity_file.chmod(mode)
    await worker.start()
    assert await ended(worker) == 1
    assert words in worker.log


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONSILIUM_PLATFORM_URL", "ws://localhost"),
        ("CONSILIUM_PLATFORM_URL", "https://localhost"),
        ("CONSILIUM_PLATFORM_URL", "wss://localhost/path"),
        ("CONSILIUM_PLATFORM_URL", "wss://"),
        ("CONSILIUM_WORKER_IDENTITY", ""),
        ("CONSILIUM_WORKER_CA", "/nowhere/ca.pem"),
        ("CONSILIUM_WORKER_NAME", "A Worker"),
        ("CONSILIUM_WORKER_ADDRESSES", "0.0.0.0"),
        ("CONSILIUM_WORKER_ADDRESSES", "localhost"),
        ("CONSILIUM_WORKER_ADDRESSES", ""),
        ("CONSILIUM_WORKER_ADDRESSES", "224.0.0.1"),
        ("CONSILIUM_WORKER_PORTS", "40000"),
        ("CONSILIUM_WORKER_PORTS", "80-1080"),
        ("CONSILIUM_WORKER_PORTS", "50000-40000"),
        ("CONSILIUM_WORKER_PORTS", "40000-70000"),
        ("CONSILIUM_WORKER_PORTS", "40000-40198"),
        ("CONSILIUM_WORKER_CAPACITY", "0"),
        ("CONSILIUM_WORKER_CAPACITY", "9999"),
        ("CONSILIUM_WORKER_CAPACITY", "many"),
        ("CONSILIUM_WORKER_SPOOL_BYTES", "1000"),
        ("CONSILIUM_WORKER_SPOOL_BYTES", "1 GiB"),
    ],
)
def test_settings_that_make_no_sense_are_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsWrong, match=variable):
        from_environment({"CONSILIUM_WORKER_IDENTITY": "/tmp/identity", variable: value})


def test_the_defaults_are_the_demos() -> None:
    found = from_environment({"CONSILIUM_WORKER_IDENTITY": "/tmp/identity"})
    assert found == Settings(
        platform_url="wss://localhost:8443",
        ca_file=None,
        identity_file=Path("/tmp/identity"),
        enrolment_file=None,
        enrolment_code=None,
        name="worker",
        addresses=("127.0.0.1",),
        ports=None,
        capacity=100,
        spool=Path("/tmp/spool"),
    )


def test_a_range_of_ports_has_two_for_each_participant() -> None:
    environment = {
        "CONSILIUM_WORKER_IDENTITY": "/tmp/identity",
        "CONSILIUM_WORKER_PORTS": "40000-40199",
    }
    assert from_environment(environment).ports == range(40_000, 40_200)
    with pytest.raises(SettingsWrong, match="202 ports or more"):
        from_environment(environment | {"CONSILIUM_WORKER_CAPACITY": "101"})


def test_another_release_of_aiortc_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stock.require_known_releases()
    monkeypatch.setitem(stock.KNOWN_RELEASES, "aioice", "0.14.0")
    with pytest.raises(stock.ReleaseUnknown, match=r"0\.13\.0"):
        stock.require_known_releases()
