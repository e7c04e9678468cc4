"""Which UDP ports the worker opens, and what happens when there is none left."""

from __future__ import annotations

import contextlib
import random
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_worker.ports import NoPortFree, Ports
from tests.media_worker.harness import eventually, running_worker
from tests.media_worker.people import Person, candidates_of, in_a_call, on_loopback

LOOPBACK = "127.0.0.1"


def free_range(length: int) -> range:
    """Ports that were all free just now, below those that the kernel gives to others."""
    while True:
        first = random.randrange(20_000, 30_000)
        with contextlib.suppress(OSError), taken(range(first, first + length)):
            return range(first, first + length)


@contextlib.contextmanager
def taken(ports: range) -> Iterator[list[socket.socket]]:
    """Holds all of ``ports`` until the end, or raises OSError."""
    with contextlib.ExitStack() as held:
        sockets = []
        for port in ports:
            one = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            one.bind((LOOPBACK, port))
            sockets.append(one)
        yield sockets


@pytest.fixture
def bind() -> Iterator[object]:
    """Binds by ``Ports`` and gives the port back; everything is closed after the test."""
    with contextlib.ExitStack() as held:

        def one(ports: Ports, address: str = LOOPBACK) -> int:
            return int(held.enter_context(ports.bind(address)).getsockname()[1])

        yield one


def test_all_ports_of_the_range_are_taken_and_no_other(bind) -> None:
    allowed = free_range(8)
    ports = Ports(allowed)
    found = [bind(ports) for _ in allowed]
    assert sorted(found) == list(allowed)
    with pytest.raises(NoPortFree):
        bind(ports)


def test_ports_come_in_an_order_of_chance(bind) -> None:
    allowed = free_range(8)
    orders = set()
    for _ in range(5):
        ports = Ports(allowed)
        with contextlib.ExitStack() as held:
            sockets = [held.enter_context(ports.bind(LOOPBACK)) for _ in allowed]
            orders.add(tuple(one.getsockname()[1] for one in sockets))
    assert len(orders) > 1


def test_a_port_that_somebody_else_has_is_passed_over(bind) -> None:
    allowed = free_range(4)
    with taken(allowed[:3]):
        assert bind(Ports(allowed)) == allowed[3]


def test_a_port_that_was_just_left_is_taken_last() -> None:
    allowed = free_range(4)
    ports = Ports(allowed)
    found = []
    for _ in range(8):
        with ports.bind(LOOPBACK) as one:
            found.append(one.getsockname()[1])
    assert sorted(found[:4]) == list(allowed)
    assert found[4:] == found[:4]


def test_without_a_range_the_kernel_chooses(bind) -> None:
    ports = Ports()
    assert len({bind(ports) for _ in range(20)}) == 20


def test_ports_of_one_address_are_not_those_of_another(bind) -> None:
    allowed = free_range(1)
    ports = Ports(allowed)
    assert bind(ports) == bind(ports, "127.0.0.2") == bind(ports, "::1") == allowed[0]


def test_an_address_of_somebody_else_is_not_a_lack_of_ports(bind) -> None:
    with pytest.raises(OSError, match="assign requested address") as caught:
        bind(Ports(free_range(4)), "198.51.100.1")
    assert not isinstance(caught.value, NoPortFree)


async def test_a_call_stays_in_the_range_and_one_too_many_is_refused(tmp_path: Path) -> None:
    on_loopback()
    allowed = free_range(6)
    settings = {
        "CONSILIUM_WORKER_PORTS": f"{allowed[0]}-{allowed[-1]}",
        "CONSILIUM_WORKER_CAPACITY": "3",
    }
    async with running_worker(tmp_path, **settings) as (platform, worker):
        room = uuid.uuid4()
        one, other, third = (Person(platform, room) for _ in range(3))
        try:
            await in_a_call(one, other)
            await eventually(lambda: len(candidates_of(platform)) == 4)
            used = {port for _, port in candidates_of(platform)}
            assert used <= set(allowed)
            # Somebody else has what is left.
            left = sorted(set(allowed) - used)
            with contextlib.ExitStack() as held:
                for port in left:
                    held.enter_context(taken(range(port, port + 1)))
                await third.join()
                await eventually(lambda: platform.states_of(third.id) == {"refused"})
                await one.sees(other, more=10)
            assert "all UDP ports of CONSILIUM_WORKER_PORTS are taken" in worker.log
            assert "Traceback" not in worker.log
            # And when they are free again, the next attempt gets them.
            await third.leave()
            await third.join()
            await third.sees(one)
            assert {port for _, port in candidates_of(platform)} == set(allowed)
        finally:
            for person in (one, other, third):
                await person.gone()


async def test_an_address_that_is_not_this_machines_is_left_out(tmp_path: Path) -> None:
    on_loopback()
    addresses = {"CONSILIUM_WORKER_ADDRESSES": "198.51.100.1,127.0.0.1"}
    async with running_worker(tmp_path, **addresses) as (platform, worker):
        one = Person(platform, uuid.uuid4())
        try:
            await one.join()
            await eventually(lambda: candidates_of(platform))
            assert {address for address, _ in candidates_of(platform)} == {LOOPBACK}
            assert "an address of CONSILIUM_WORKER_ADDRESSES is of no use" in worker.log
        finally:
            await one.gone()
