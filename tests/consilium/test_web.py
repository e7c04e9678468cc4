"""The web process: slow readers, answers that are too short, and sockets that close meanwhile."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from tests.consilium.long_answers import PIECE, PIECES
from tests.servers.processes import REPOSITORY, free_ports, wait_for


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = free_ports(1)
    paths = os.pathsep.join(str(REPOSITORY / root) for root in ("platform", "apps", "."))
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "consilium.web", "--port", str(port), "--bind", "127.0.0.1"),
            "tests.consilium.long_answers:application",
        ],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers() -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", port)) == 0

    wait_for(answers, "the web process answers", 30)
    yield port
    process.terminate()
    process.wait(10)


def get(port: int, path: str) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.request("GET", path)
    return line.getresponse()


def given(port: int) -> int:
    return int(get(port, "/given").read())


def test_an_application_waits_for_whoever_reads_slowly(port: int) -> None:
    before = given(port)
    slow = get(port, "/long")
    slow.read(1)

    # Nothing more is given while nothing more is read: what waits is a few pieces and not the film.
    def rests() -> bool:
        first = given(port)
        time.sleep(0.3)  # the time between two looks, not a wait
        return first > before and given(port) == first

    wait_for(rests, "the application waits", 20)
    assert (given(port) - before) * len(PIECE) < 16 << 20
    rest = slow.read()
    assert len(rest) == len(PIECE) * PIECES - 1
    assert given(port) - before == PIECES


def test_who_goes_away_in_the_middle_leaves_nobody_waiting(port: int) -> None:
    for _ in range(5):
        slow = get(port, "/long")
        slow.read(1)
        slow.close()
    assert given(port) >= 0, "it still answers"


def test_an_answer_that_is_shorter_than_it_said_is_cut_off(port: int) -> None:
    began = time.monotonic()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        get(port, "/short").read()
    assert time.monotonic() - began < 5, "at once, and not when the connection's time is over"
    assert given(port) >= 0


def test_what_is_said_to_a_socket_that_closes_fails_nobody(port: int) -> None:
    for _ in range(10):
        with connect(f"ws://127.0.0.1:{port}/", max_queue=None) as line:
            line.recv()

    def counted() -> list[str]:
        return get(port, "/sockets").read().decode().split()

    wait_for(lambda: counted()[0] == "10", "the end of every socket")
    assert counted() == ["10", "0"]
