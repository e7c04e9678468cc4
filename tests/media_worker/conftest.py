"""One worker process and one platform per test module; the people are new in every test."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.media_worker.harness import Platform, Worker, running_worker
from tests.media_worker.people import Person, in_a_call, on_loopback


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def linked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """(platform, worker), for tests that leave the worker running."""
    on_loopback()
    async with running_worker(tmp_path_factory.mktemp("worker")) as both:
        yield both


@pytest.fixture
def platform(linked: tuple[Platform, Worker]) -> Platform:
    return linked[0]


@pytest.fixture
def worker(linked: tuple[Platform, Worker]) -> Worker:
    return linked[1]


@pytest_asyncio.fixture(loop_scope="module")
async def arrive(platform: Platform) -> AsyncIterator[Callable[..., Person]]:
    """Makes people; all of one test are in one room unless they say otherwise."""
    room = uuid.uuid4()
    people: list[Person] = []

    def make(brightness: int = 128, **options: Any) -> Person:
        person = Person(platform, options.pop("room", room), brightness, **options)
        people.append(person)
        return person

    yield make
    for person in people:
        with contextlib.suppress(Exception):
            await person.gone()


@pytest_asyncio.fixture(loop_scope="module")
async def call(arrive: Callable[..., Person]) -> tuple[Person, Person]:
    """Two people in a call of their own; the first has seen the second."""
    one, other = arrive(), arrive()
    await in_a_call(one, other)
    return one, other
