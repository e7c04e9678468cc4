"""A namespace is a machine of its own at the end of a cable, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.namespace import Namespace, names, remove_leftovers
from tests.servers.processes import REPOSITORY, is_alive, wait_for

pytestmark = pytest.mark.cable

#: Run inside: what is sent to the port given is answered; the first line says that it listens.
ECHO = """
import socket, sys
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.bind((sys.argv[1], int(sys.argv[2])))
print("listens", flush=True)
while True:
    data, address = line.recvfrom(2000)
    line.sendto(data, address)
"""

PORT = 7007


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace()
    made.start()
    yield made
    made.remove()


@pytest.fixture
def line(namespace: Namespace) -> Iterator[socket.socket]:
    """A UDP socket outside, whose datagrams come back from inside."""
    address = namespace.inner_address
    echo = namespace.command(sys.executable, "-I", "-c", ECHO, address, str(PORT))
    with subprocess.Popen(echo, stdout=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stdout.readline() == b"listens\n"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
            outside.connect((address, PORT))
            outside.settimeout(0.3)
            yield outside
        running.kill()


def comes_back(line: socket.socket) -> bool:
    try:
        line.send(b"anybody?")
        return line.recv(100) == b"anybody?"
    except OSError:  # no answer in time, or no way there
        return False


def test_only_the_cable_leads_out(namespace: Namespace) -> None:
    routes = namespace.run("ip", "-json", "route", "show", "table", "main")
    assert [(route["dev"], route.get("gateway")) for route in json.loads(routes)] == [
        (namespace.inner, None)
    ]


def test_plug_is_pulled_and_put_back(namespace: Namespace, line: socket.socket) -> None:
    assert comes_back(line)
    namespace.cut()
    assert not comes_back(line)
    namespace.mend()
    wait_for(lambda: comes_back(line), "an answer")


def test_udp_of_one_port_is_lost_until_mended(namespace: Namespace, line: socket.socket) -> None:
    namespace.drop_udp(PORT + 1)
    assert comes_back(line)
    namespace.drop_udp(PORT)
    assert not comes_back(line)
    namespace.mend()
    assert comes_back(line)


def test_all_udp_is_lost_and_tcp_is_not(namespace: Namespace, line: socket.socket) -> None:
    with socket.create_server((namespace.outer_address, 0)) as server:
        namespace.drop_udp()
        assert not comes_back(line)
        address, port = server.getsockname()
        connect = f"import socket; socket.create_connection(('{address}', {port}), 5)"
        namespace.run(sys.executable, "-I", "-c", connect)


def test_servers_on_the_loopback_inside_are_reached(namespace: Namespace) -> None:
    serve = "import socket; s = socket.create_server(('127.0.0.1', 7008)); print(flush=True)"
    answer = "; c, _ = s.accept(); c.sendall(b'inside')"
    command = namespace.command(sys.executable, "-I", "-c", serve + answer)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout
        running.stdout.readline()
        with namespace.connect(7008) as line:
            assert line.recv(100) == b"inside"


def test_script_stands_for_a_program_inside(namespace: Namespace, tmp_path: Path) -> None:
    script = namespace.program("/usr/sbin/ip", tmp_path)
    shown = subprocess.run([script, "-brief", "address"], check=True, capture_output=True)
    assert namespace.inner_address in shown.stdout.decode()


def test_killed_run_leaves_a_namespace_that_the_next_one_removes() -> None:
    held = """
import subprocess, sys, time
from tests.servers.namespace import Namespace
made = Namespace()
made.start()
inside = subprocess.Popen(made.command("sleep", "600"))
print(made.name, inside.pid, flush=True)
time.sleep(600)
"""
    paths = ":".join(str(REPOSITORY / root) for root in ("platform", "apps", "."))
    run = subprocess.Popen(
        [sys.executable, "-c", held],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": paths, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert run.stdout
    name, inside = run.stdout.readline().split()
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    assert name in names()
    assert is_alive(int(inside))

    remove_leftovers()
    assert name not in names()
    assert not is_alive(int(inside))
    outer = f"co{run.pid}x0"
    assert not Path(f"/sys/class/net/{outer}").exists()
