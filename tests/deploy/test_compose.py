"""The compose file describes what works: each service's command is started, its check succeeds, and
people get in by the proxy.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.deploy.compose import FILES, Composed, dotenv, read
from tests.flows.http_door import Browser
from tests.servers import authority
from tests.servers import bucket as buckets
from tests.servers.full import MAKE_PEOPLE
from tests.servers.installation import PERSON, SignIn
from tests.servers.processes import wait_for
from tests.servers.radosgw import borrow
from tests.servers.smtp import Smtp

GUEST = "rosa.compose@example.test"


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """What the hospital has: a mail server and a bucket."""
    directory = Path(tmp_path_factory.mktemp("outside"))
    tls = authority.issue(directory / "tls")
    smtp = Smtp(directory / "smtp", tls, "compose")
    smtp.start()
    with borrow() as gateway:
        bucket = f"compose-{secrets.token_hex(4)}"
        buckets.owner_of(gateway).create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        yield SimpleNamespace(
            smtp=smtp,
            said={
                "SMTP_URL": smtp.url,
                "CONSILIUM_CA": str(tls.authority),
                "CONSILIUM_STORAGE_URL": f"s3://{bucket}?endpoint={gateway.endpoint}",
                "CONSILIUM_STORAGE_ACCESS_KEY": gateway.access_key,
                "CONSILIUM_STORAGE_SECRET_KEY": gateway.secret_key,
                "CONSILIUM_STORAGE_CA": gateway.authority,
            },
        )
    smtp.stop()


@pytest.fixture(scope="module")
def composed(outside: SimpleNamespace) -> Iterator[Composed]:
    running = Composed(**outside.said)
    running.said["WORKER_CA"] = str(running.authority)
    try:
        running.start("proxy", "celery", "beat", "coturn")
        for number in (1, 2):
            code = running.manage("media_worker", "invite").strip()
            running.said[f"WORKER_{number}_CODE"] = code
            running.start(f"worker-{number}")
        yield running
    finally:
        running.stop()


def test_every_service_runs_and_its_check_succeeds(composed: Composed):
    services = read(composed.said)["services"]
    assert composed.services.keys() == services.keys()
    checked = [
        name for name, service in services.items() if "test" in service.get("healthcheck", {})
    ]
    assert {"postgresql", "redis", "coturn", "web-1", "web-2", "celery", "proxy"} == set(checked)
    for name in checked:
        composed.wait_until_healthy(name)
    for number in (1, 2):
        composed.services[f"worker-{number}"].wait_for_log("linked to the platform", 30)
    running = {name for name, service in composed.services.items() if service.is_running()}
    assert services.keys() - running == {"prepare"}


def test_a_clinician_signs_in_by_the_proxy_and_plans_a_governed_visit(
    composed: Composed, outside: SimpleNamespace
):
    people = {
        found["email"]: SignIn(**found.groupdict())
        for found in PERSON.finditer(composed.manage("shell", "-c", MAKE_PEOPLE))
    }
    host = Browser(composed).sign_in(people["colleague@example.test"])
    invited = host.plan("governed", "Rosa Marchetti", GUEST)
    # Web, Redis, Celery, mail server.
    wait_for(
        lambda: any(GUEST in str(mail["To"]) for mail in outside.smtp.mails()), "the invitation", 20
    )
    host.open(f"/meetings/{invited.meeting}/room/")
    line = host.connect(invited.meeting)
    assert line.hears("media")["ready"], "a media worker took the room"
    line.close()


def test_the_check_of_a_web_process_that_is_gone_fails(composed: Composed):
    """The last but one: it is not started again."""
    composed.services["web-2"].kill()
    with pytest.raises(AssertionError):
        composed.wait_until_healthy("web-2", 1)
    assert Browser(composed).get("/").status == 200, "the proxy has the other one"


def test_the_example_is_refused_until_somebody_fills_it_in(monkeypatch, tmp_path: Path):
    from consilium import production
    from consilium.environment import Environment

    said = dotenv(FILES / ".env.example")
    web = read(said)["services"]["web-1"]["environment"]
    for name, value in {**web, "CONSILIUM_DATA": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CONSILIUM_SECRET_KEY", said["CONSILIUM_SECRET_KEY"] * 8)
    wrong = production.mistakes(Environment(), {})
    for variable in ("CONSILIUM_SECRET_KEY", "DATABASE_URL", "REDIS_URL", "TURN_SECRET"):
        assert any(variable in sentence and "guessed" in sentence for sentence in wrong), variable
    assert any("CONSILIUM_STORAGE_SECRET_KEY" in sentence for sentence in wrong)
