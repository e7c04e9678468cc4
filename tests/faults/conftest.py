"""An installation of its own: what is done to it here, no other test should have to survive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.full import fitting
from tests.servers.installation import Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    running = fitting()(tmp_path_factory.mktemp("faults"), "faults")
    running.start()
    running.wait_for_worker()
    yield running
    running.stop()
