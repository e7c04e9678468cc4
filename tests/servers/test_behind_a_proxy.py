"""An installation with a certificate of its own, behind a proxy that is trusted.

The proxy is whoever comes from 127.0.0.2; 127.0.0.3 is a stranger who writes the same headers.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers.authority import issue
from tests.servers.installation import Installation

NAME = "visits.example.test"
PROXY, STRANGER = "127.0.0.2", "127.0.0.3"

#: `consilium.web` says 15 s of silence and 3 s for the goodbye; before, it was 60 and 15.
SILENCE_SECONDS = 20


@dataclass
class Silent:
    """Two connections that say nothing: one after its TLS handshake, one not even that."""

    seconds: dict[str, float] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, name: str, line: socket.socket) -> None:
        line.settimeout(90)
        began = time.monotonic()

        def wait() -> None:
            try:
                while line.recv(1024):
                    pass
            except OSError:
                pass
            self.seconds[name] = time.monotonic() - began
            line.close()

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        self.threads.append(thread)


class Behind(Installation):
    """Its certificate names ``visits.example.test`` and nothing of this machine."""

    authority: Path

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def call(self, address: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 10, source_address=(address, 0))

    def tls(self, address: str) -> ssl.SSLSocket:
        return self.trust().wrap_socket(self.call(address), server_hostname=NAME)


class Page:
    """One browser somewhere behind ``address``, with what it or its proxy writes."""

    def __init__(self, installation: Behind, address: str, **forwarded: str) -> None:
        self._installation = installation
        self._address = address
        self._forwarded = {name.replace("_", "-"): value for name, value in forwarded.items()}
        self._cookies = ""
        status, page = self.request("GET", "/visit/")
        assert status == 200, page[:500]
        found = re.search(r'<meta name="csrf-token" content="(\w+)"', page)
        assert found
        self._token = found[1]

    def request(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        line = http.client.HTTPSConnection(NAME, self._installation.port, timeout=15)
        line.sock = self._installation.tls(self._address)
        headers = {"Cookie": self._cookies, **self._forwarded}
        if body is not None:
            headers |= {
                "Content-Type": "application/json",
                "X-CSRFToken": self._token,
                "Referer": f"https://{NAME}:{self._installation.port}/visit/",
            }
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                self._cookies = cookie.split(";")[0]
            return answer.status, answer.read().decode()
        finally:
            line.close()

    def guesses(self) -> int:
        """The status of one guess at a short code: 404, or 429 when there were too many."""
        guess = json.dumps({"code": "ABCD-EFGH-JKMN"})
        return self.request("POST", "/visit/redeem", guess)[0]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    directory = Path(tmp_path_factory.mktemp("behind"))
    own = issue(directory / "own", (NAME,))
    full = directory / "fullchain.pem"
    full.write_bytes(own.certificate.read_bytes() + own.authority.read_bytes())
    server = Behind(
        directory,
        "servers-behind-a-proxy",
        CONSILIUM_CERTIFICATE=str(full),
        CONSILIUM_CERTIFICATE_KEY=str(own.key),
        CONSILIUM_HOSTS=NAME,
        CONSILIUM_TRUSTED_PROXIES=PROXY,
    )
    server.authority = own.authority
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", autouse=True)
def silent(installation: Behind) -> Silent:
    """They wait beside the other tests."""
    waiting = Silent()
    waiting.begin("tls", installation.tls(STRANGER))
    waiting.begin("tcp", installation.call(STRANGER))
    return waiting


def test_the_certificate_is_its_own_and_no_other_was_made(installation: Behind) -> None:
    with installation.tls(STRANGER) as line:
        shown = line.getpeercert()
    assert shown is not None
    assert shown["subjectAltName"] == (("DNS", NAME),)
    assert not (installation.data / "tls" / "certificate.pem").exists()
    assert "self-signed" not in installation.text


def test_the_media_worker_finds_its_platform_under_that_name_too(installation: Behind) -> None:
    installation.wait_for_worker()


def test_visitors_behind_the_proxy_are_throttled_each_by_themselves(installation: Behind) -> None:
    guesser = Page(installation, PROXY, X_Forwarded_For="203.0.113.9")
    assert [guesser.guesses() for _ in range(30)] == [404] * 30
    assert guesser.guesses() == 429
    again = Page(installation, PROXY, X_Forwarded_For="198.51.100.1, 203.0.113.9")
    assert again.guesses() == 429, "what the guesser writes before the proxy changes nothing"
    assert Page(installation, PROXY, X_Forwarded_For="203.0.113.10").guesses() == 404


def test_a_stranger_who_writes_the_header_is_one_visitor(installation: Behind) -> None:
    for number in range(30):
        page = Page(installation, STRANGER, X_Forwarded_For=f"203.0.113.{100 + number}")
        assert page.guesses() == 404
    assert Page(installation, STRANGER, X_Forwarded_For="203.0.113.200").guesses() == 429


def test_only_the_proxy_can_say_that_tls_was_not_used(installation: Behind) -> None:
    for address, status in ((PROXY, 301), (STRANGER, 200)):
        line = http.client.HTTPSConnection(NAME, installation.port, timeout=15)
        line.sock = installation.tls(address)
        line.request("GET", "/", headers={"X-Forwarded-Proto": "http"})
        assert line.getresponse().status == status
        line.close()


@pytest.mark.parametrize("kind", ["tls", "tcp"])
def test_a_connection_that_says_nothing_is_cut(silent: Silent, kind: str) -> None:
    for thread in silent.threads:
        thread.join(90)
    assert 10 < silent.seconds[kind] < SILENCE_SECONDS
