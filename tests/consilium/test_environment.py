"""The typed environment: what is read, what is refused, and that no password is shown for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from consilium import environment
from consilium.environment import Environment, SettingsWrong


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if environment.is_ours(name):
            monkeypatch.delenv(name)


def test_nothing_needs_to_be_set() -> None:
    read = environment.load()
    assert read.port == 8443
    assert read.public_url == "https://localhost:8443"
    assert read.mail_from == "consilium@localhost"
    assert read.hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert read.key_file == read.data / "keys" / "local.json"
    assert read.storage_url == f"file://{read.data}/blobs"
    assert read.storage_access_key is None
    assert read.data.is_absolute()
    assert not read.demo
    assert not read.production


def test_everything_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = {
        "CONSILIUM_DATA": str(tmp_path),
        "CONSILIUM_PORT": "9000",
        "CONSILIUM_HOSTS": "Visits.example.org, 2001:db8::1,10.0.0.1",
        "CONSILIUM_DEMO": "yes",
        "CONSILIUM_WEB_PROCESSES": "3",
        "DATABASE_URL": "postgres://consilium:pw@db/consilium",
        "REDIS_URL": "redis://:pw@redis:6379/0",
        "SMTP_URL": "smtps://me:pw@mail.example.org",
        "TURN_URLS": "turn:turn.example.org:3478,turns:turn.example.org:443?transport=tcp",
        "TURN_SECRET": "north",
        "CONSILIUM_STORAGE_URL": "s3://recordings/one?endpoint=https://s3.example.test:9000",
        "CONSILIUM_STORAGE_ACCESS_KEY": "access-pw",
        "CONSILIUM_STORAGE_SECRET_KEY": "secret-pw",
        "CONSILIUM_STORAGE_CA": __file__,
        "CONSILIUM_WORKER_ADDRESSES": "127.0.0.1",
        "CONSILIUM_WORKER_PORTS": "40000-49999",
        "CONSILIUM_LEASE_SECONDS": "60",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    read = environment.load()
    assert read.key_file == tmp_path / "keys" / "local.json"
    assert read.public_url == "https://localhost:9000"
    assert read.hosts[3:] == ["visits.example.org", "[2001:db8::1]", "10.0.0.1"]
    assert read.demo
    assert read.turn_urls == settings["TURN_URLS"].split(",")
    assert read.redis_url is not None
    assert read.redis_url.get_secret_value() == settings["REDIS_URL"]
    assert read.worker_ports == "40000-49999"
    assert read.lease_seconds == 60
    assert read.storage_url == settings["CONSILIUM_STORAGE_URL"]
    assert read.storage_secret_key is not None
    assert read.storage_secret_key.get_secret_value() == "secret-pw"
    assert read.storage_ca == Path(__file__)
    assert "pw" not in repr(
        [read.redis_url, read.smtp_url, read.storage_access_key, read.storage_secret_key]
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSILIUM_LISTEN", "0.0.0.0"),
        ("CONSILIUM_HOSTS", "visits.example.org"),
        ("CONSILIUM_HOSTS", "10.0.0.1"),
        ("CONSILIUM_PUBLIC_URL", "https://visits.example.org"),
        ("CONSILIUM_PUBLIC_URL", "https://localhost.example.org"),
    ],
)
def test_whoever_answers_to_another_name_is_not_alone_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert environment.load().is_for_this_machine_alone
    monkeypatch.setenv(name, value)
    assert not environment.load().is_for_this_machine_alone


@pytest.mark.parametrize("url", ["https://127.0.0.1:9000", "https://[::1]", "https://localhost"])
def test_a_machine_may_call_itself_by_any_loopback_name(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CONSILIUM_PUBLIC_URL", url)
    assert environment.load().is_for_this_machine_alone


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("https://visits.example.org", "consilium@visits.example.org"),
        ("https://visits.example.org:8443", "consilium@visits.example.org"),
        ("https://192.0.2.7", "consilium@[192.0.2.7]"),
        ("https://[2001:db8::1]:8443", "consilium@[IPv6:2001:db8::1]"),
    ],
)
def test_mails_come_from_the_public_host_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, url: str, sender: str
) -> None:
    monkeypatch.setenv("CONSILIUM_PUBLIC_URL", url)
    assert environment.load().mail_from == sender
    monkeypatch.setenv("CONSILIUM_MAIL_FROM", "visits@hospital.example.org")
    assert environment.load().mail_from == "visits@hospital.example.org"


def test_empty_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIUM_PORT", "")
    monkeypatch.setenv("REDIS_URL", "")
    assert environment.load() == Environment()
    assert environment.load().redis_url is None


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("CONSILIUM_PORT", "abc", "'abc' is not a port number"),
        ("CONSILIUM_PORT", "0", "0 is not a port number (1 to 65535)"),
        ("CONSILIUM_PORT", "65536", "65536 is not a port number (1 to 65535)"),
        ("CONSILIUM_PORT", "-1", "'-1' is not a port number"),
        ("CONSILIUM_PRODUCTION", "maybe", "'maybe' is neither 1 nor 0"),
        ("CONSILIUM_HOSTS", "*", "'*' is not a host name or address"),
        ("CONSILIUM_HOSTS", "a,https://b", "'https://b' is not a host name or address"),
        ("CONSILIUM_WORKER_ADDRESSES", "10.0.0.300", "'10.0.0.300' is not an IP address"),
        ("CONSILIUM_WORKER_PORTS", "40000", "'40000' is not a range of ports such as 40000-49999"),
        ("CONSILIUM_WORKER_PORTS", "1-9", "'1-9' is not a range of ports"),
        ("CONSILIUM_WORKER_PORTS", "5000-4000", "'5000-4000' is not a range of ports"),
        ("CONSILIUM_WORKER_PORTS", "5000-70000", "'5000-70000' is not a range of ports"),
        (
            "CONSILIUM_TRUSTED_PROXIES",
            "10.0.0.1,proxy.example.test",
            "'proxy.example.test' is neither an IP address nor a network such as 10.0.0.0/24",
        ),
        ("CONSILIUM_TRUSTED_PROXIES", "10.0.0.1/8", "'10.0.0.1/8' is neither an IP address nor"),
        ("CONSILIUM_TRUSTED_PROXIES", "::/0", "'::/0' is everybody"),
        ("CONSILIUM_WORKER_ADDRESSES", "::", "'::' is no address that a browser could send to"),
        ("CONSILIUM_WORKER_ADDRESSES", "224.0.0.1", "is no address that a browser could send to"),
        ("CONSILIUM_PUBLIC_URL", "https://a:99999", "is not an address such as"),
        ("DATABASE_URL", "postgresql://root:hunter2@db", "it names no database"),
        ("CONSILIUM_LEASE_SECONDS", "9", "9 is not a number of seconds (10 to 86400)"),
        ("CONSILIUM_SECRET_KEY", "short", "it is too short (32 characters at least)"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x", "does not begin with postgresql://"),
        ("REDIS_URL", "redis://", "it names no host"),
        ("REDIS_URL", "redis://:hunter2@redis:x", "it is not a URL"),
        ("SMTP_URL", "mail.example.org", "does not begin with smtp:// or smtps://"),
        ("CONSILIUM_STORAGE_URL", "ftp://storage", "it does not begin with file:// or s3://"),
        ("CONSILIUM_STORAGE_URL", "s3://me:hunter2@bucket", "keys do not belong into the URL"),
        ("CONSILIUM_STORAGE_URL", "s3://bucket?endpoint=http://a.example", "without TLS"),
        ("CONSILIUM_STORAGE_CA", "/nowhere/ca.pem", "/nowhere/ca.pem is not a file"),
        ("TURN_SECRET", "hunter2", "it is needed when TURN_SECRET is set"),
        ("CONSILIUM_LISTEN", "::", "'::' is neither 127.0.0.1 (this machine) nor 0.0.0.0"),
        ("CONSILIUM_MAIL_FROM", "A Hospital <a@b.example>", "is not an address such as"),
        ("CONSILIUM_MAIL_FROM", "a@b.example,c@d.example", "is not an address such as"),
        ("CONSILIUM_MAIL_FROM", "a@b.example\nBcc: c@d.example", "is not an address such as"),
        (
            "CONSILIUM_PUBLIC_URL",
            "http://visits.example.org",
            "is not an address such as https://visits.example.org",
        ),
    ],
)
def test_a_wrong_value_is_one_line_without_its_password(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsWrong) as caught:
        environment.load()
    [only] = caught.value.lines
    assert only.startswith("TURN_URLS: " if name == "TURN_SECRET" else f"{name}: ")
    assert line in only
    assert "hunter2" not in str(caught.value)
    assert "\n" not in only


@pytest.mark.parametrize("missing", ["ACCESS", "SECRET"])
def test_a_bucket_needs_both_of_its_keys(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv("CONSILIUM_STORAGE_URL", "s3://recordings")
    for key in {"ACCESS", "SECRET"} - {missing}:
        monkeypatch.setenv(f"CONSILIUM_STORAGE_{key}_KEY", "hunter2")
    with pytest.raises(SettingsWrong) as caught:
        environment.load()
    assert caught.value.lines == (
        f"CONSILIUM_STORAGE_{missing}_KEY: it is needed when CONSILIUM_STORAGE_URL is a bucket",
    )


@pytest.mark.parametrize(
    "url",
    [
        "stun:stun.example.org",
        "turn.example.org",
        "turns:user@turn.example.org",
        "turn:a b",
        "turn:a?transport=sctp",
    ],
)
def test_only_turn_addresses_are_taken_for_the_relay(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TURN_URLS", url)
    monkeypatch.setenv("TURN_SECRET", "north")
    with pytest.raises(SettingsWrong, match=r"TURN_URLS: .* is not a TURN address"):
        environment.load()


def test_each_mistake_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is derived from a wrong value is not reported a second time."""
    monkeypatch.setenv("CONSILIUM_PORT", "x")
    monkeypatch.setenv("CONSILIUM_DEMO", "x")
    with pytest.raises(SettingsWrong) as caught:
        environment.load()
    assert [line.split(":")[0] for line in caught.value.lines] == [
        "CONSILIUM_PORT",
        "CONSILIUM_DEMO",
    ]
