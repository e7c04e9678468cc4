"""Ports for tests: nobody is given one that another was given, used yet or not."""

from __future__ import annotations

import itertools
import os

import pytest

from tests.servers import processes


@pytest.mark.parametrize("pid", range(1_000, 3_000, 97))
def test_no_port_is_given_twice(pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: pid)
    monkeypatch.setattr(processes, "_next", 0)
    given: set[int] = set()
    for count in itertools.islice(itertools.cycle((2, 1, 1, 3)), 60):
        first = processes.free_ports(count)
        ports = set(range(first, first + count))
        assert not given & ports
        given |= ports
    assert max(given) - min(given) < 1_000, "those of this run"
