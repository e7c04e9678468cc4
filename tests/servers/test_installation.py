"""A whole installation: it starts from nothing, mends itself, keeps its data, leaves no one."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.installation import Installation
from tests.servers.processes import descendants, is_alive


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    server = Installation(Path(tmp_path_factory.mktemp("installation")), "servers-installation")
    server.start()
    yield server
    server.stop()


def test_it_starts_from_nothing(installation: Installation) -> None:
    status, page = installation.get("/")
    assert status == 200
    assert "Consilium" in page
    installation.wait_for_worker()
    assert installation.pids().keys() == {"web", "media-worker", "celery", "beat"}
    assert "clinician@example.test" in installation.people
    assert "Relay-only is off, because no relay is set up" in installation.text


def test_it_is_reached_on_this_machine_only(installation: Installation) -> None:
    ports = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        if state == "0A":  # listening
            host, port = address.split(":")
            ports[int(port, 16)] = socket.inet_ntoa(bytes.fromhex(host)[::-1])
    assert ports[installation.port] == "127.0.0.1"


def test_no_process_of_it_writes_a_core_dump(installation: Installation) -> None:
    for name in installation.pids():
        limits = resource.prlimit(installation.pid_of(name), resource.RLIMIT_CORE)
        assert limits == (0, 0), name


def test_nothing_it_wrote_is_readable_by_others(installation: Installation) -> None:
    open_to_others = [path for path in installation.data.rglob("*") if path.stat().st_mode & 0o077]
    assert installation.data.stat().st_mode & 0o077 == 0
    assert open_to_others == []


def test_media_worker_process_holds_no_secret_of_the_platform(installation: Installation) -> None:
    environ = Path(f"/proc/{installation.pid_of('media-worker')}/environ").read_text()
    names = {entry.split("=")[0] for entry in environ.split("\0") if entry}
    assert not names & {"DATABASE_URL", "REDIS_URL", "CONSILIUM_SECRET_KEY", "CONSILIUM_DATA"}


def test_killed_media_worker_is_linked_again(installation: Installation) -> None:
    installation.wait_for_worker()
    linked = installation.text.count("linked to the platform")
    killed_at = time.monotonic()
    old = installation.kill9("media-worker")
    installation.wait_for_restart("media-worker", old)
    assert time.monotonic() - killed_at < 1.0
    installation.wait_for_log(rf"(?s)(linked to the platform.*){{{linked + 1}}}", 15)


@pytest.mark.parametrize("name", ["web", "celery", "beat"])
def test_whoever_is_killed_is_back(installation: Installation, name: str) -> None:
    old = installation.kill9(name)
    installation.wait_for_restart(name, old)
    if name == "web":
        installation.wait_for_web()
    assert installation.get("/")[0] == 200


def test_second_start_keeps_the_data(installation: Installation) -> None:
    certificate = installation.certificate.read_bytes()
    first = {**installation.people}
    everybody = {installation.pid, *descendants(installation.pid)}
    installation.stop()
    assert not any(map(is_alive, everybody))
    assert "WARNING" not in installation.text.partition("Stopping.")[2], "nobody leaves in alarm"
    installation.start()
    assert installation.certificate.read_bytes() == certificate
    assert installation.people == first
    assert "These sign-in details" not in installation.text
    assert "manage.py demo_sign_in" in installation.text
    installation.wait_for_worker()  # with the identity it has, there is no second code
    assert "enrolled as" not in installation.text


def test_second_supervisor_on_the_same_data_is_refused(
    installation: Installation, tmp_path: Path
) -> None:
    second = Installation(tmp_path, "servers-second", CONSILIUM_DATA=str(installation.data))
    with pytest.raises(AssertionError, match="Another Consilium is running on"):
        second.start()
    second.stop()
    assert installation.get("/")[0] == 200


def test_withdrawn_media_worker_is_cut_off_and_stays_out(installation: Installation) -> None:
    """The last one: this installation has no worker afterwards."""
    installation.wait_for_worker()
    assert "connected, 0 of 100 people" in installation.manage("media_worker", "list")
    said = installation.text.count("the link to the platform ended")
    links = installation.text.count("linked to the platform")
    installation.manage("media_worker", "withdraw", "worker-1")
    # Cut off, and refused when it dials in again.
    installation.wait_for_log(rf"(?s)(the link to the platform ended.*){{{said + 2}}}", 20)
    assert installation.text.count("linked to the platform") == links
    assert installation.manage("media_worker", "list").rstrip().endswith("withdrawn")
