"""One S3 server for a whole run: started by the first, ended after the last, however that went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.servers import radosgw
from tests.servers.processes import REPOSITORY, descendants, is_alive, wait_for

BORROWER = """
import sys
from pathlib import Path
from tests.servers import radosgw
radosgw._SHARED = Path(sys.argv[1])
with radosgw.borrow() as gateway:
    print(gateway.pid, gateway.tls_port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def borrower(tmp_path):
    """Starts a process that borrows; all are gone afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], list[str]]:
        process = subprocess.Popen(
            [sys.executable, "-c", BORROWER, tmp_path],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().split()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_two_processes_share_one_server_and_the_last_ends_it(borrower):
    first, gateway = borrower()
    second, the_same = borrower()
    assert gateway == the_same
    keeper, port = map(int, gateway)
    servers = descendants(keeper)
    assert len(servers) == 3

    first.send_signal(signal.SIGKILL)
    first.wait(10)
    assert radosgw._accepts(port)
    assert is_alive(keeper)

    second.send_signal(signal.SIGKILL)
    second.wait(10)
    wait_for(lambda: not is_alive(keeper) and not any(map(is_alive, servers)), "the server's end")


def test_whoever_comes_after_its_end_gets_another(borrower):
    first, gateway = borrower()
    first.kill()
    first.wait(10)
    _, another = borrower()
    assert another[0] != gateway[0]
    assert radosgw._accepts(int(another[1]))
