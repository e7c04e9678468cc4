"""What each process is told, and above all what the media worker is not told."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.endpoints import _parse

from consilium.environment import Environment
from consilium.launch import plan
from consilium.launch.certificate import Certificate

CERTIFICATE = Certificate(Path("/data/tls/certificate.pem"), Path("/data/tls/key.pem"))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(data=tmp_path, port=9443)


def test_media_worker_is_given_no_key_of_the_platform(environment: Environment) -> None:
    secrets = {
        "DATABASE_URL": "postgres://u:p@h/d",
        "REDIS_URL": "redis://h",
        "CONSILIUM_SECRET_KEY": "s" * 50,
        "TURN_SECRET": "north",
        "SMTP_URL": "smtp://u:p@h",
        "AWS_SECRET_ACCESS_KEY": "k",
        "CONSILIUM_STORAGE_URL": "s3://recordings",
        "CONSILIUM_STORAGE_SECRET_KEY": "hunter2",
        "CONSILIUM_KEY_FILE": "/keys/local.json",
        "SOMETHING_NEW": "x",
    }
    inherited = {"PATH": "/usr/bin", "CONSILIUM_WORKER_ADDRESSES": "10.0.0.1", **secrets}
    [worker] = [
        child
        for child in plan.children(environment, CERTIFICATE, inherited)
        if child.name == "media-worker"
    ]
    assert not secrets.keys() & worker.environment.keys()
    assert not set(secrets.values()) & set(worker.environment.values())
    assert worker.environment["PATH"] == "/usr/bin"
    assert worker.environment["CONSILIUM_PLATFORM_URL"] == "wss://localhost:9443"
    assert worker.environment["CONSILIUM_WORKER_PIN"] == str(CERTIFICATE.path)


def test_every_process_has_its_own_name_and_port(tmp_path: Path) -> None:
    environment = Environment(
        data=tmp_path, port=9443, web_processes=3, REDIS_URL="redis://localhost"
    )
    children = plan.children(environment, CERTIFICATE, {})
    assert [child.name for child in children] == [
        "web",
        "web-2",
        "web-3",
        "media-worker",
        "celery",
        "beat",
    ]
    endpoints = [child.command[child.command.index("-e") + 1] for child in children[:3]]
    assert [endpoint.split(":")[1] for endpoint in endpoints] == ["9443", "9444", "9445"]


def test_a_path_with_colons_reaches_daphne_unharmed(environment: Environment) -> None:
    odd = Path("/da:ta=x\\y/key.pem")
    [web, *_] = plan.children(environment, Certificate(odd, odd, odd), {})
    arguments, options = _parse(web.command[web.command.index("-e") + 1])
    assert arguments == ["ssl", "9443"]
    assert options == {
        "privateKey": str(odd),
        "certKey": str(odd),
        "extraCertChain": str(odd),
        "interface": "127.0.0.1",
    }


def test_messages_of_browsers_are_capped_at_the_door(environment: Environment) -> None:
    [web, *_] = plan.children(environment, CERTIFICATE, {})
    for option in ("--websocket-max-message-size", "--websocket-max-frame-size"):
        assert web.command[web.command.index(option) + 1] == "65536"
    assert "--proxy-headers" not in web.command


def test_worker_offers_the_addresses_it_was_given(tmp_path: Path) -> None:
    environment = Environment(data=tmp_path, worker_addresses=["10.0.0.1", "10.0.0.2"])
    worker = {c.name: c for c in plan.children(environment, CERTIFICATE, {})}["media-worker"]
    assert worker.environment["CONSILIUM_WORKER_ADDRESSES"] == "10.0.0.1,10.0.0.2"


def test_worker_takes_the_ports_it_was_given(tmp_path: Path) -> None:
    for ports in ("", "40000-49999"):
        environment = Environment(data=tmp_path, worker_ports=ports)
        children = {c.name: c for c in plan.children(environment, CERTIFICATE, {})}
        assert children["media-worker"].environment["CONSILIUM_WORKER_PORTS"] == ports


def test_worker_offers_loopback_when_nothing_is_said(environment: Environment) -> None:
    worker = {c.name: c for c in plan.children(environment, CERTIFICATE, {})}["media-worker"]
    assert worker.environment["CONSILIUM_WORKER_ADDRESSES"].split(",")[-1] == "127.0.0.1"
