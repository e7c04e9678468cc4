"""What every real server in the tests needs: free ports, waiting for conditions, pids."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

REPOSITORY = Path(__file__).resolve().parents[2]
ARTEFACTS = REPOSITORY / "build" / "artefacts"

# Below the range the kernel hands out for outgoing connections, and apart for each run at once,
# so that a port found free is still free when its server binds it.
_FIRST_PORT = 20_000
_PORTS_PER_WORKER = 1_000
_next = 0


def free_ports(count: int) -> int:
    """The first of ``count`` neighbouring TCP and UDP ports that are free on 127.0.0.1."""
    global _next  # noqa: PLW0603 - a test run never gets the same ports twice
    lane = os.environ.get("PYTEST_XDIST_WORKER") or os.environ.get("CONSILIUM_TEST_LANE", "gw0")
    worker = int(lane.removeprefix("gw")) % 10
    base = _FIRST_PORT + worker * _PORTS_PER_WORKER
    for _ in range(_PORTS_PER_WORKER):
        # Always the same modulus: who asks for two must not be given one that another was given.
        offset = (os.getpid() + _next) % _PORTS_PER_WORKER
        _next += count
        if offset + count <= _PORTS_PER_WORKER and _all_free(base + offset, count):
            return base + offset
    raise RuntimeError(f"no {count} neighbouring free ports from {base}")


def _all_free(first: int, count: int) -> bool:
    with ExitStack() as held:
        for port in range(first, first + count):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                probe = held.enter_context(socket.socket(socket.AF_INET, kind))
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return False
    return True


def wait_for(condition: Callable[[], T], what: str, seconds: float = 10.0) -> T:
    """The first truthy answer of ``condition``; an AssertionError names ``what`` never came."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := condition():
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs under ``pid``; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def descendants(pid: int) -> set[int]:
    """The ids of everything ``pid`` has started, directly or not, that is alive."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and is_alive(int(entry.name)):
            try:
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    todo = [pid]
    while todo:
        new = children.get(todo.pop(), [])
        found.update(new)
        todo.extend(new)
    return found
