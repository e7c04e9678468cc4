"""One installation for the flows of a run, and a browser for each person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.flows.people import SPARING, Visitor
from tests.flows.wire_cutter import WireCutter
from tests.servers.full import fitting
from tests.servers.installation import Installation

CLINICIAN = "clinician@example.test"
COLLEAGUE = "colleague@example.test"
OFFICER = "officer@example.test"


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Embedded, without a relay: what ``make run`` starts, unless it is asked for the other.

    The flows of ``test_full_fitting`` are on the other in every run.
    """
    running = fitting()(tmp_path_factory.mktemp("installation"), "flows")
    running.start()
    running.wait_for_worker()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def cutter(installation: Installation) -> Iterator[WireCutter]:
    """A way to the installation that can be cut."""
    door = WireCutter(installation.door)
    yield door
    door.stop()


@pytest.fixture
def visitor(
    request: pytest.FixtureRequest, playwright: Playwright, installation: Installation
) -> Iterator[Callable[..., Visitor]]:
    """Makes people; on failure what each of them saw is kept under build/artefacts."""
    people: list[Visitor] = []

    def come(name: str, base: str | None = None, **context: Any) -> Visitor:
        flags = [*context.pop("flags", SPARING), *installation.browser_flags]
        person = Visitor(playwright, name, base or installation.url, flags, **context)
        people.append(person)
        return person

    yield come
    failed = getattr(request.node, "failed", False)
    for person in people:
        if failed:
            person.keep_evidence(request.node.name)
        person.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call" and report.failed:
        item.failed = True  # type: ignore[attr-defined]
