"""The supervisor with real processes: who dies comes back, who must go goes, nobody is left."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.processes import REPOSITORY, descendants, free_ports, is_alive, wait_for

IDLE = "import time; time.sleep(600)"
SAYS_GOODBYE = """
import signal, sys, time
def leave(*_): print("goodbye"); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("here", flush=True)
time.sleep(600)
"""
WILL_NOT_LEAVE = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", flush=True)
time.sleep(600)
"""
HAS_A_CHILD = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("here", flush=True)
time.sleep(600)
"""


class Household:
    """A supervisor process over stand-ins, with what it has written so far."""

    def __init__(self, directory: Path, plan: dict[str, object]) -> None:
        (directory / "plan.json").write_text(json.dumps(plan))
        self.ready_file = directory / "ready.json"
        self.output = directory / "output.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    REPOSITORY / "tests/servers/stand_ins.py",
                    directory / "plan.json",
                    self.ready_file,
                ],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY / "platform")},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def pids(self) -> dict[str, int]:
        """The ids by name, once everybody was started."""
        wait_for(self.ready_file.exists, "the ready file")
        return json.loads(self.ready_file.read_text())

    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def wait_for_line(self, line: str, times: int = 1) -> None:
        wait_for(lambda: self.lines().count(line) >= times, f"{times} x {line!r}")

    def new_pid(self, name: str, old: int) -> int:
        return wait_for(lambda: (pid := self.pids().get(name)) not in {None, old} and pid, name)

    def finish(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Callable[..., Household]]:
    started: list[Household] = []

    def start(**plan: object) -> Household:
        started.append(Household(tmp_path, plan))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_killed_child_is_back_at_once(household: Callable[..., Household]) -> None:
    home = household(children={"worker": SAYS_GOODBYE, "web": IDLE})
    first = home.pids()
    home.wait_for_line("worker| here")
    killed_at = time.monotonic()
    os.kill(first["worker"], signal.SIGKILL)
    second = home.new_pid("worker", first["worker"])
    home.wait_for_line("worker| here", times=2)
    assert time.monotonic() - killed_at < 1.0
    assert is_alive(second)
    assert home.pids()["web"] == first["web"]
    assert "| worker was ended by SIGKILL; starting it again now." in home.lines()


def test_child_that_keeps_dying_is_given_pauses(household: Callable[..., Household]) -> None:
    home = household(children={"worker": "raise SystemExit(3)"})
    home.wait_for_line("| worker ended with status 3; starting it again now.")
    home.wait_for_line("| worker ended with status 3; starting it again in 0.5 s.")
    home.wait_for_line("| worker ended with status 3; starting it again in 1 s.")
    started_at = time.monotonic()
    assert home.finish() == 0
    assert time.monotonic() - started_at < 1.0  # it does not wait for the pause


def test_children_leave_in_the_order_asked_for(household: Callable[..., Household]) -> None:
    home = household(
        children=dict.fromkeys(("web", "beat", "celery", "worker"), SAYS_GOODBYE),
        stop_order=["worker", "celery", "beat"],
    )
    for name in home.pids():
        home.wait_for_line(f"{name}| here")
    assert home.finish() == 0
    goodbyes = [line for line in home.lines() if line.endswith("goodbye")]
    assert goodbyes == [f"{name}| goodbye" for name in ("worker", "celery", "beat", "web")]


def test_child_that_will_not_leave_is_killed(household: Callable[..., Household]) -> None:
    home = household(children={"worker": WILL_NOT_LEAVE, "web": SAYS_GOODBYE})
    pids = home.pids()
    home.wait_for_line("worker| here")
    home.wait_for_line("web| here")
    assert home.finish() == 0
    assert "| worker did not leave in time and was killed." in home.lines()
    assert "web| goodbye" in home.lines()
    assert not any(map(is_alive, pids.values()))


def test_second_request_to_stop_waits_for_nobody(household: Callable[..., Household]) -> None:
    home = household(children={f"worker-{number}": WILL_NOT_LEAVE for number in range(4)})
    for name in home.pids():
        home.wait_for_line(f"{name}| here")
    home.process.send_signal(signal.SIGINT)
    time.sleep(1.2)
    asked_at = time.monotonic()
    home.process.send_signal(signal.SIGINT)
    assert home.process.wait(timeout=5) == 0
    assert time.monotonic() - asked_at < 1.0  # each alone would have had a second to leave


def test_same_request_passed_on_twice_is_no_impatience(household: Callable[..., Household]) -> None:
    home = household(children=dict.fromkeys(("web", "worker"), SAYS_GOODBYE))
    for name in home.pids():
        home.wait_for_line(f"{name}| here")
    home.process.send_signal(signal.SIGTERM)
    until = time.monotonic() + 0.9  # what comes a second later is another request
    while home.process.poll() is None and time.monotonic() < until:
        home.process.send_signal(signal.SIGINT)
        time.sleep(0.0005)
    assert home.process.wait(timeout=5) == 0
    assert {"web| goodbye", "worker| goodbye"} <= set(home.lines())


def test_nobody_outlives_a_killed_supervisor(household: Callable[..., Household]) -> None:
    home = household(children={"worker": WILL_NOT_LEAVE, "web": IDLE})
    pids = home.pids()
    home.wait_for_line("worker| here")
    home.process.kill()
    home.process.wait()
    wait_for(lambda: not any(map(is_alive, pids.values())), "the end of all children")


def test_what_a_dead_child_had_started_ends_too(household: Callable[..., Household]) -> None:
    home = household(children={"worker": HAS_A_CHILD})
    pid = home.pids()["worker"]
    home.wait_for_line("worker| here")
    grandchildren = descendants(pid)
    assert grandchildren
    os.kill(pid, signal.SIGKILL)
    home.new_pid("worker", pid)
    wait_for(lambda: not any(map(is_alive, grandchildren)), "the end of its children")


def test_a_step_that_fails_starts_nobody(household: Callable[..., Household]) -> None:
    home = household(
        steps={"prepare": "print('no disk'); raise SystemExit(1)"}, children={"web": SAYS_GOODBYE}
    )
    assert home.process.wait(timeout=10) == 2
    assert home.lines() == ["| no disk", "prepare ended with status 1; nothing was started."]


def test_stop_during_a_step_ends_the_step(household: Callable[..., Household]) -> None:
    home = household(steps={"prepare": WILL_NOT_LEAVE}, children={"web": SAYS_GOODBYE})
    home.wait_for_line("| here")
    assert home.finish() == 0
    assert "web| here" not in home.lines()


def supervisor(**settings: str) -> subprocess.CompletedProcess[str]:
    """The real command with only these settings, for starts that are refused."""
    return subprocess.run(
        [sys.executable, "-m", "consilium.supervisor"],
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY / "platform"), **settings},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    port = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        result = supervisor(CONSILIUM_DATA=str(tmp_path / "data"), CONSILIUM_PORT=str(port))
    assert result.returncode == 2
    assert result.stderr == f"Port {port} is in use; set CONSILIUM_PORT to another one.\n"


def test_each_wrong_setting_is_one_clear_line(tmp_path: Path) -> None:
    result = supervisor(
        CONSILIUM_DATA=str(tmp_path / "data"), CONSILIUM_PORT="abc", CONSILIUM_DEMO="perhaps"
    )
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "CONSILIUM_PORT: 'abc' is not a port number",
        "CONSILIUM_DEMO: 'perhaps' is neither 1 nor 0",
    ]
    assert not (tmp_path / "data").exists()


def test_several_web_processes_without_redis_are_refused(tmp_path: Path) -> None:
    result = supervisor(CONSILIUM_DATA=str(tmp_path / "data"), CONSILIUM_WEB_PROCESSES="2")
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("CONSILIUM_WEB_PROCESSES: 2 web processes need REDIS_URL")


def test_data_directory_that_cannot_be_made_is_one_clear_line() -> None:
    result = supervisor(CONSILIUM_DATA="/proc/consilium")
    assert result.returncode == 2
    assert result.stderr == "CONSILIUM_DATA: /proc/consilium: No such file or directory\n"


def test_data_directory_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    result = supervisor(CONSILIUM_DATA=str(tmp_path / "data"))
    assert result.returncode == 2
    assert result.stderr == f"CONSILIUM_DATA: {tmp_path / 'data'} is not a directory\n"


def test_a_step_that_says_why_itself_is_the_only_line(household: Callable[..., Household]) -> None:
    home = household(
        steps={"prepare": "print('no disk'); raise SystemExit(2)"}, children={"web": SAYS_GOODBYE}
    )
    assert home.process.wait(timeout=10) == 2
    assert [line for line in home.lines() if line] == ["| no disk"]


def test_a_terminal_that_is_closed_stops_everybody(tmp_path: Path) -> None:
    """Also when the kernel tells somebody else: the leader of the session, who waits for us."""
    plan = {"children": {"web": SAYS_GOODBYE}}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    ready_file = tmp_path / "ready.json"
    leader, terminal = pty.fork()
    if leader == 0:
        os.environ["PYTHONPATH"] = str(REPOSITORY / "platform")
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as make does while it waits
        stand_ins = [sys.executable, REPOSITORY / "tests/servers/stand_ins.py"]
        inner = subprocess.Popen([*stand_ins, tmp_path / "plan.json", ready_file])
        (tmp_path / "pid").write_text(str(inner.pid))
        os._exit(inner.wait())
    pids = []
    try:
        wait_for(ready_file.exists, "the ready file")
        pids = [int((tmp_path / "pid").read_text()), *json.loads(ready_file.read_text()).values()]
        os.close(terminal)
        wait_for(lambda: not any(map(is_alive, pids)), "the end of everybody")
    finally:
        for pid in filter(is_alive, pids):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(leader, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_way_to_ask_for_a_stop_is_heard(
    household: Callable[..., Household], number: signal.Signals
) -> None:
    home = household(children={"web": SAYS_GOODBYE})
    home.wait_for_line("web| here")
    home.process.send_signal(number)
    assert home.process.wait(timeout=5) == 0
    assert "web| goodbye" in home.lines()
