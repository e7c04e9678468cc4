"""One installation for everybody who comes to it by a cable of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.installation import Installation
from tests.servers.namespace import Namespace


@pytest.fixture(scope="session")
def cable() -> Iterator[Namespace]:
    namespace = Namespace()
    namespace.start()
    yield namespace
    namespace.remove()


@pytest.fixture(scope="session")
def installation(
    tmp_path_factory: pytest.TempPathFactory, cable: Namespace
) -> Iterator[Installation]:
    """The far end of the cable reaches it, too."""
    running = Installation(tmp_path_factory.mktemp("cabled"), "cabled", **cable.settings)
    running.start()
    running.wait_for_worker()
    yield running
    running.stop()
