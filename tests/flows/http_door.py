"""A person at plain HTTP: one cookie jar at one address, and no page.

What a page does with ``fetch`` is done here byte for byte, and so is what no page would ever do.
"""

from __future__ import annotations

import http.client
import itertools
import json
import re
import socket
import ssl
import urllib.parse
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from typing import Any

from foundation.errors import PROBLEMS
from tests.flows.page_socket import Socket, dial
from tests.flows.people import fresh_totp
from tests.servers.installation import Installation, SignIn

_numbers = itertools.count(2)


def fresh_address() -> str:
    """A source address of its own, so that throttles count each client by itself."""
    number = next(_numbers)
    return f"127.0.{number // 250}.{number % 250 + 1}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    def is_refused(self, code: str) -> None:
        """It is the problem ``code`` (RFC 9457), with its status."""
        assert self.headers.get_content_type() == "application/problem+json", self.text[:300]
        assert self.json["code"] == code
        assert self.status == self.json["status"] == PROBLEMS[code].status


@dataclass(frozen=True)
class Invited:
    """One guest of one meeting, as the host's page shows it once."""

    meeting: str
    secret: str
    short_code: str
    guest: str
    email: str


class Browser:
    """One cookie jar at one address."""

    def __init__(self, installation: Installation, address: str | None = None) -> None:
        self.installation = installation
        self.address = address or fresh_address()
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        self._trust = installation.trust()

    @property
    def origin(self) -> str:
        return self.installation.url

    def request(
        self, method: str, path: str, body: str | bytes | None = None, **headers: str | None
    ) -> Answer:
        """One request; a header given as None is left out."""
        sent = {
            "Accept": "application/json",
            "Origin": self.origin,
            "Referer": self.origin + "/",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": self.csrf,
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[misc]
        line = http.client.HTTPSConnection(
            "localhost",
            self.installation.door,
            timeout=15,
            context=self._trust,
        )
        line.sock = self._trust.wrap_socket(self.call(), server_hostname="localhost")
        try:
            line.request(method, path, body, {k: v for k, v in sent.items() if v})
            answer = line.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            line.close()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
            if name.startswith("__Host-"):
                assert "; Secure" in cookie
                assert "; Path=/" in cookie
                assert "; Domain" not in cookie
        return Answer(answer.status, answer.headers, text)

    def call(self) -> socket.socket:
        """A bare TCP connection from this browser's address."""
        return socket.create_connection(
            ("127.0.0.1", self.installation.door), 10, source_address=(self.address, 0)
        )

    def tls(self) -> ssl.SSLSocket:
        return self._trust.wrap_socket(self.call(), server_hostname="localhost")

    def get(self, path: str, **headers: str | None) -> Answer:
        return self.request("GET", path, **headers)

    def open(self, path: str) -> Answer:
        """A page; its token for forms is remembered."""
        answer = self.get(path, Accept="text/html")
        token = re.search(r'<meta name="csrf-token" content="(\w+)"', answer.text)
        if token:
            self.csrf = token[1]
        return answer

    def post(self, path: str, body: Any = None, **headers: str | None) -> Answer:
        """JSON, as the pages' own scripts send it."""
        text = json.dumps(body if body is not None else {})
        return self.request("POST", path, text, **{"Content_Type": "application/json", **headers})

    def submit(self, path: str, fields: dict[str, str], **headers: str | None) -> Answer:
        """A form, as a page without scripts sends it."""
        return self.request(
            "POST",
            path,
            urllib.parse.urlencode(fields),
            **{
                "Content_Type": "application/x-www-form-urlencoded",
                "Accept": "text/html",
                **headers,
            },
        )

    def sign_in(self, who: SignIn) -> Browser:
        self.open("/accounts/login/")
        first = self.submit("/accounts/login/", {"login": who.email, "password": who.password})
        assert first.status == 302, first.text[:500]
        self.open(str(first.headers["Location"]))
        code = {"code": fresh_totp(who.totp)}
        second = self.submit(str(first.headers["Location"]), code)
        assert second.status == 302, second.text[:2000]
        self.open("/desk/")
        return self

    def plan(self, mode: str, patient: str, email: str, title: str = "") -> Invited:
        fields = {
            "guest_name": patient,
            "guest_email": email,
            "guest_language": "en",
            "starts_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M}",
            "title": title,
            "mode": mode,
        }
        page = self.submit("/desk/meetings/new/", fields).text
        meeting = re.search(r"/meetings/([0-9a-f-]{36})/room/", page)
        link = re.search(r"/visit/#([\w-]{43})", page)
        code = re.search(r"data-short-code[^>]*>\s*([0-9A-Z-]{14})", page)
        guest = re.search(r'data-guest="([0-9a-f-]{36})"', page)
        assert meeting
        assert link
        assert code
        assert guest
        return Invited(meeting[1], link[1], code[1], guest[1], email)

    # ------------------------------------------------------------ a visit
    def redeem(self, secret: str) -> Answer:
        self.open("/visit/")
        return self.post("/visit/redeem", {"secret": secret})

    def ticket(self, meeting: str, purpose: str) -> Answer:
        return self.post(f"/meetings/{meeting}/ticket", {"purpose": purpose})

    def socket(self, **options: Any) -> Socket:
        """A socket of a page of this browser, before its hello."""
        return Socket(dial(self, **options))

    def connect(self, meeting: str, purpose: str = "join") -> Socket:
        """A socket that was welcomed."""
        answer = self.ticket(meeting, purpose)
        assert answer.status == 200, answer.text
        return self.hello(answer.json["ticket"])

    def hello(self, ticket: str, **options: Any) -> Socket:
        line = self.socket(**options)
        line.say("hello", version=1, ticket=ticket)
        line.hears("welcome")
        return line
