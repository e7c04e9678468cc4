"""What every test stands on: data of its own, keys of its own, and the cast."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
# Runs that go on at once have data and ports of their own.
_WORKER = os.environ.get("PYTEST_XDIST_WORKER") or os.environ.get("CONSILIUM_TEST_LANE", "main")
_DATA = REPOSITORY / "build" / "tests" / f"data-{_WORKER}"

# Settings are read when Django starts, which is before any fixture runs.
_DATA.mkdir(parents=True, exist_ok=True)
os.environ["CONSILIUM_DATA"] = str(_DATA)
_IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
_ON_POSTGRESQL = os.environ.get("CONSILIUM_TEST_DATABASE") == "postgresql"
for name in ("DATABASE_URL", "REDIS_URL", "SMTP_URL", "TURN_URLS", "TURN_SECRET", "CONSILIUM_CA"):
    if not (name == "DATABASE_URL" and _IS_WORKER and _ON_POSTGRESQL):
        os.environ.pop(name, None)
for name in [name for name in os.environ if name.startswith("CONSILIUM_STORAGE_")]:
    os.environ.pop(name)
sys.path.insert(0, str(REPOSITORY))

from tests.servers import authority  # noqa: E402
from tests.servers.pace import wait_until_fit  # noqa: E402
from tests.servers.postgresql import PostgreSQL  # noqa: E402

#: With CONSILIUM_TEST_DATABASE=postgresql the tests' database is a real one: one server for all
#: processes of a run, and in it a database for each of them (pytest-django's doing).
_POSTGRESQL: PostgreSQL | None = None
if _ON_POSTGRESQL and not _IS_WORKER:
    _POSTGRESQL = PostgreSQL(authority.issue(_DATA / "tls"))
    _POSTGRESQL.start()
    os.environ["DATABASE_URL"] = _POSTGRESQL.url

# Not in pyproject.toml: pytest-django would read the settings before the lines above are run.
os.environ["DJANGO_SETTINGS_MODULE"] = "consilium.settings"

from django.conf import settings as django_settings  # noqa: E402

assert django_settings.DATA.is_relative_to(REPOSITORY / "build" / "tests")


def pytest_unconfigure() -> None:
    if _POSTGRESQL is not None:
        _POSTGRESQL.remove()


#: The folders that the Makefile names for each kind; no run but the first collects everything.
STAND_IN = {
    "browser": {"faults", "flows", "media_worker", "recordings"},
    "cable": {"flows", "servers"},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A marked test that stands where no run looks for it is an error and no silence."""
    tests = REPOSITORY / "tests"
    for item in items:
        folder = item.path.relative_to(tests).parts[0]
        for marker, folders in STAND_IN.items():
            if item.get_closest_marker(marker) is not None and folder not in folders:
                raise pytest.UsageError(f"{item.nodeid} is marked {marker} outside of {folders}")


@pytest.fixture(scope="session", autouse=True)
def key_file() -> None:
    """The master key that wraps every key of the tests' databases."""
    from django.conf import settings

    from foundation.keys import localfile

    localfile.create(settings.KEY_FILE)


@pytest.fixture(autouse=True)
def files_as_they_are(settings) -> None:
    """Pages are rendered without collecting and hashing static files first."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def no_keys_of_another_database() -> None:
    """Unwrapped keys are cached by the process; each test has other rows."""
    from vault import keyring, signing

    keyring.forget_cached_keys()
    signing.forget_cached_signers()


@pytest.fixture(autouse=True)
def nobody_was_refused_yet() -> None:
    """Refusals are counted by the process, and all tests are refused at one address."""
    from access.floods import floods

    floods.forget()


@pytest.fixture(autouse=True)
def times_slower(request: pytest.FixtureRequest, record_property) -> float:
    """How many times slower this machine is than the one that bounds in seconds were set for.

    Those bounds are about us, and not about a host that gives its processors to others: who has
    them waits for a machine that is fit.
    """
    if not any(request.node.get_closest_marker(kind) for kind in ("timed", "cable")):
        return 1.0
    found = wait_until_fit()
    record_property("times slower than its bounds were set for", round(found, 1))
    return found


@pytest.fixture
def cast(db: None):
    """Everybody, at two hospitals; see ``tests.cast``."""
    from tests.cast import assemble

    return assemble()
