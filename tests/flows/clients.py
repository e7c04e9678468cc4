"""People without browsers: plain HTTP and WebSocket clients that may also behave badly.

What a page does with ``fetch`` and ``WebSocket`` is done here byte for byte, and so is what no page
would ever do. Everything is synchronous and runs in threads, so that it can stand beside
Playwright in one process. ``House`` is an installation with a call going on in it, its trail, and
a back room: a Django process on its data, for moving clocks.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import re
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from typing import Any, TypeVar
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from access.verbs import Verb
from foundation.errors import PROBLEMS
from tests.flows.people import code_of, fresh_totp
from tests.servers.installation import Installation, SignIn
from tests.servers.processes import REPOSITORY
from tests.servers.server import PYTHON

#: Words that are searched for at the end. Names, mailboxes and what was said in refused messages.
CANARY = "Quillonel"
WORDS = "zwitscherling says the biopsy was benign"

_numbers = itertools.count(2)


def fresh_address() -> str:
    """A source address of its own, so that throttles count each client by itself."""
    number = next(_numbers)
    return f"127.0.{number // 250}.{number % 250 + 1}"


# One loop in a thread for all sockets. (Two threads on one TLS connection is what OpenSSL forbids.)
_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, daemon=True).start()

T = TypeVar("T")


def on_the_loop(work: Coroutine[Any, Any, T], seconds: float = 20) -> T:
    return asyncio.run_coroutine_threadsafe(work, _loop).result(seconds)


# ---------------------------------------------------------------- HTTP


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
            self.installation.port,
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
            ("127.0.0.1", self.installation.port), 10, source_address=(self.address, 0)
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


def dial(
    browser: Browser,
    path: str = "/signal",
    origin: str | None = "",
    cookies: dict[str, str] | None = None,
    compression: str | None = None,
) -> ClientConnection:
    """The handshake alone; ``origin`` None sends none, empty sends the right one."""
    cookies = browser.cookies if cookies is None else cookies
    line = "; ".join(f"{name}={value}" for name, value in cookies.items())

    async def knock() -> ClientConnection:
        return await connect(
            f"wss://localhost:{browser.installation.port}{path}",
            host="127.0.0.1",
            local_addr=(browser.address, 0),
            ssl=browser.installation.trust(),
            server_hostname="localhost",
            origin=browser.origin if origin == "" else origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": line} if line else None,
            compression=compression,
            ping_interval=None,
            open_timeout=8,
            close_timeout=2,
            max_size=None,
            proxy=None,
        )

    return on_the_loop(knock())


def is_shut_out(browser: Browser, **options: Any) -> None:
    """The handshake is answered with 403 and nothing is opened."""
    with pytest.raises(InvalidStatus) as caught:
        dial(browser, **options)
    assert caught.value.response.status_code == 403


class Socket:
    """An open WebSocket and everything it has heard."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._news = threading.Condition()
        self.heard: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self.closed_at = 0.0
        self.opened_at = time.monotonic()
        self._listening = asyncio.run_coroutine_threadsafe(self._listen(), _loop)

    async def _listen(self) -> None:
        try:
            while True:
                message = json.loads(await self._line.recv())
                with self._news:
                    self.heard.append(message)
                    self._news.notify_all()
        except ConnectionClosed as end:
            with self._news:
                self.close_code = end.rcvd.code if end.rcvd else 1006
                self.closed_at = time.monotonic()
                self._news.notify_all()

    def say(self, kind: str, **fields: Any) -> None:
        self.raw(json.dumps({"type": kind, **fields}))

    def raw(self, data: str | bytes) -> None:
        """Sent as it is; a socket that was closed meanwhile takes it silently."""
        self.flood([data])

    def flood(self, messages: list[str] | list[bytes] | list[str | bytes]) -> None:
        """As fast as the line takes them."""

        async def send() -> None:
            for number, message in enumerate(messages):
                await self._line.send(message)
                if number % 50 == 49:
                    await asyncio.sleep(0)  # the others on this loop

        with suppress(ConnectionClosed, OSError):
            on_the_loop(send())

    def pieces(self, data: list[str] | list[bytes], *, as_text: bool | None = None) -> None:
        """One message in fragments; ``as_text`` calls bytes text that may be none."""
        with suppress(ConnectionClosed, OSError):
            on_the_loop(self._line.send(iter(data), text=as_text))

    def hears(self, kind: str, seconds: float = 5, **fields: Any) -> dict[str, Any]:
        """The next message of ``kind`` with these ``fields``; each is found once."""
        wanted = {"type": kind, **fields}

        def found() -> dict[str, Any] | None:
            for message in self.heard:
                if wanted.items() <= message.items():
                    self.heard.remove(message)
                    return message
            return None

        deadline = time.monotonic() + seconds
        with self._news:
            while (message := found()) is None:
                left = deadline - time.monotonic()
                assert left > 0, f"no {wanted}; heard {self.heard}; closed {self.close_code}"
                self._news.wait(left)
        return message

    def hears_no(self, *kinds: str) -> None:
        """Nothing of ``kinds`` came, also not until the answer to a ping."""
        self.is_alive()
        with self._news:
            assert not [message for message in self.heard if message["type"] in kinds]

    def forget(self, kind: str) -> None:
        """What was heard of ``kind`` until now concerns nobody any more."""
        with self._news:
            self.heard = [message for message in self.heard if message["type"] != kind]

    def ends(self, seconds: float = 5) -> int:
        """The code it was closed with; 1006 without one."""
        with self._news:
            self._news.wait_for(lambda: self.close_code is not None, seconds)
            assert self.close_code is not None, f"still open; heard {self.heard}"
            return self.close_code

    def is_refused(self, code: str, about: str | None = None, *, stays: bool = False) -> None:
        """It hears the problem ``code`` and, unless it ``stays``, is closed as the table says."""
        self.hears("error", code=code, about=about)
        if stays:
            self.is_alive()
        else:
            assert self.ends() == PROBLEMS[code].close_code

    def is_alive(self, seconds: float = 5) -> float:
        """A ping is answered; returns how long that took."""
        number = next(_numbers)
        start = time.monotonic()
        self.say("ping", n=number)
        self.hears("pong", seconds, n=number)
        return time.monotonic() - start

    def close(self) -> None:
        on_the_loop(self._line.close())

    def vanish(self) -> None:
        """The network is gone: no goodbye of any layer."""
        _loop.call_soon_threadsafe(self._line.transport.abort)


# ---------------------------------------------------------------- what the house remembers


class Trail:
    """The trail as it lies on the disk."""

    def __init__(self, installation: Installation) -> None:
        self._path = installation.database

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        database = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(sql, values).fetchall()
        finally:
            database.close()

    def last(self) -> int:
        return int(self.ask("SELECT coalesce(max(id), 0) FROM audit_trailrow")[0][0])

    def refusals(self, since: int) -> list[tuple[str, str, str]]:
        """(tag, reason, subject) of what was refused after row ``since``."""
        return self.ask(
            "SELECT tag, reason, subject FROM audit_trailrow WHERE id > ? AND outcome = 'refused'",
            since,
        )

    @contextmanager
    def gains(self, verb: Verb, reason: str, subject: str = "", count: int = 1) -> Iterator[None]:
        """What happens inside leaves ``count`` refusals of ``verb`` on the trail."""
        since = self.last()
        yield
        deadline = time.monotonic() + 4
        while True:
            rows = self.refusals(since)
            fitting = [r for r in rows if r[:2] == (verb.value, reason) and subject in r[2]]
            if len(fitting) >= count:
                return
            assert time.monotonic() < deadline, f"no {verb.value} {reason} {subject} in {rows}"
            time.sleep(0.03)

    def cells_with(self, pattern: re.Pattern[str]) -> list[str]:
        """``table.column`` of every cell of the database that ``pattern`` is found in."""
        found = []
        tables = self.ask("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables:
            columns = [row[1] for row in self.ask(f'PRAGMA table_info("{table}")')]
            for row in self.ask(f'SELECT * FROM "{table}"'):
                found += [
                    f"{table}.{column}"
                    for column, cell in zip(columns, row, strict=True)
                    if pattern.search(str(cell))
                ]
        return found


_BACK_ROOM = """
import json, sys, traceback
names = {}
for line in sys.stdin:
    try:
        names["answer"] = None
        exec(json.loads(line), names)
        told = {"answer": names["answer"]}
    except BaseException:
        told = {"error": traceback.format_exc()}
    print("BACK-ROOM " + json.dumps(told, default=str), flush=True)
"""


class BackRoom:
    """A Django process on the installation's data that does what it is told: moves a clock, signs
    what the platform would not. It serves nobody and has no relay."""

    def __init__(self, installation: Installation) -> None:
        self._process = subprocess.Popen(
            [PYTHON, REPOSITORY / "manage.py", "shell", "-c", _BACK_ROOM],
            env=installation.environment,
            cwd=installation.directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, code: str, **values: Any) -> Any:
        """Run ``code``; returns what it assigned to ``answer``. ``values`` are JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        given = "".join(f"{name} = json.loads({json.dumps(v)!r})\n" for name, v in values.items())
        self._process.stdin.write(json.dumps("import json\n" + given + code) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("BACK-ROOM "):
                told = json.loads(line.removeprefix("BACK-ROOM "))
                assert "error" not in told, told["error"]
                return told["answer"]
        raise AssertionError("the back room is gone")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def leave(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


# ---------------------------------------------------------------- people


@dataclass(frozen=True)
class Invited:
    """One guest of one meeting, as the host's page shows it once."""

    meeting: str
    secret: str
    short_code: str
    guest: str
    email: str


@dataclass
class Visit:
    """A guest on their own browser."""

    house: House
    invited: Invited
    browser: Browser

    @property
    def meeting(self) -> str:
        return self.invited.meeting

    @property
    def participation(self) -> str:
        return self.invited.guest

    @property
    def seat_cookie(self) -> str:
        return f"__Host-seat-{UUID(self.meeting).hex}"

    def path(self, rest: str) -> str:
        return f"/meetings/{self.meeting}/{rest}"

    def redeem(self) -> Visit:
        answer = self.browser.redeem(self.invited.secret)
        assert answer.status == 200, answer.text
        self.house.secrets["seat cookie"].append(self.browser.cookies[self.seat_cookie])
        return self

    def ask_for_code(self) -> Visit:
        answer = self.browser.post(self.path("verification/send"))
        assert answer.status == 200, answer.text
        return self

    def code(self, number: int = 1) -> str:
        code = code_of(self.house.installation, self.invited.email, number)
        self.house.codes.append(code)
        return code

    def prove(self, number: int = 1) -> Visit:
        answer = self.browser.post(self.path("verification/check"), {"code": self.code(number)})
        assert answer.status == 200, answer.text
        return self

    def ticket(self, purpose: str) -> str:
        answer = self.browser.ticket(self.meeting, purpose)
        assert answer.status == 200, answer.text
        ticket = str(answer.json["ticket"])
        self.house.secrets["ticket"].append(ticket)
        return ticket

    def connect(self, purpose: str = "join") -> Socket:
        return self.browser.hello(self.ticket(purpose))


_PEOPLE = """
from accounts.models import Department, Organisation
from consilium.demo import add_totp, make_organisation, make_person
from foundation.actor import Role
here = Organisation.objects.get(name="Riverside Hospital")
ward = Department.objects.get(organisation=here, name="General medicine")
there = make_organisation("Another Hospital")
answer = []
for name, organisation, department in (("Host", here, ward), ("Near", here, ward),
                                       ("Far", there, None)):
    email = f"{name.lower()}.{canary.lower()}@example.test"
    password = f"{canary}-{name}-pass-word-9"
    person = make_person(organisation, f"{canary} {name}", email, Role.CLINICIAN, password,
                         department)
    answer.append([person.full_name, "clinician", email, password, add_totp(person)])
"""


class House:
    """An installation with a private call of two going on, and everybody who is needed to abuse it.

    ``host`` hosts every meeting; ``near`` is a clinician of the same organisation who hosts none,
    ``far`` one of another organisation; ``nobody`` holds no cookie at all.
    """

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.trail = Trail(installation)
        self.back_room = BackRoom(installation)
        self.codes: list[str] = []
        self.secrets: dict[str, list[str]] = {"seat cookie": [], "ticket": [], "link": []}
        people = [SignIn(*one) for one in self.back_room.do(_PEOPLE, canary=CANARY)]
        self.sign_ins = {person.email: person for person in people}
        self.host, self.near, self.far = (Browser(installation).sign_in(p) for p in people)
        self._count = itertools.count(1)
        self._call: list[Socket] = []
        self._stop = threading.Event()
        self._prove_everybody()
        threading.Thread(target=self._keep_talking, daemon=True).start()

    def _prove_everybody(self) -> None:
        """Mails take a moment; everybody waits for theirs at once."""
        self.running, self.abused, self.lobby, self.over = (
            self.visit().redeem().ask_for_code() for _ in range(4)
        )
        for visit in (self.running, self.abused, self.lobby, self.over):
            visit.prove()
        for visit in (self.running, self.abused, self.over):
            self.let_in(visit)
        self._call = [self.sit(self.running), self.running.connect()]

    def visit(self, mode: str = "private") -> Visit:
        """A new meeting of ``host`` with one guest, who has done nothing yet."""
        number = next(self._count)
        name = f"{CANARY} Patient {number}"
        email = f"patient-{number}.{CANARY.lower()}@example.test"
        invited = self.host.plan(mode, name, email, f"{CANARY} title")
        self.secrets["link"] += [invited.secret, invited.short_code]
        return Visit(self, invited, Browser(self.installation))

    def sit(self, visit: Visit) -> Socket:
        """The host's socket in the call of ``visit``."""
        self.host.open(visit.path("room/"))
        return self.host.connect(visit.meeting)

    def let_in(self, visit: Visit) -> None:
        """The guest waits and the host admits them; both leave again."""
        host, guest = self.sit(visit), visit.connect("wait")
        host.say("admit", participation=visit.participation)
        guest.hears("admitted")
        host.close()
        guest.close()

    # ------------------------------------------------------------ it lives
    def _keep_talking(self) -> None:
        """Pings, as pages send them."""
        while not self._stop.wait(2):
            for line in self._call:
                line.say("ping", n=1)

    def pong(self) -> float:
        """The call of the two others goes on; returns how long the slower of their pongs took."""
        return max(line.is_alive() for line in self._call)

    def is_alive(self) -> float:
        """And the front door opens."""
        slowest = self.pong()
        assert Browser(self.installation, "127.0.0.1").get("/").status == 200
        return slowest

    def leave(self) -> None:
        self._stop.set()
        for line in self._call:
            line.close()
        self.back_room.leave()


@pytest.fixture(scope="module")
def house(installation: Installation) -> Iterator[House]:
    made = House(installation)
    yield made
    made.leave()


@pytest.fixture(autouse=True)
def the_call_goes_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did, the call of two others never noticed."""
    here: House = request.getfixturevalue("house")
    yield
    here.is_alive()


@dataclass
class Meanwhile:
    """Something slow that goes on beside the tests; ``result`` waits for it."""

    call: Any
    _found: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found.append((self.call(), None))
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._found.append((None, error))

    def result(self, seconds: float = 30) -> Any:
        self._thread.join(seconds)
        assert self._found, "it takes too long"
        value, error = self._found[0]
        if error is not None:
            raise error
        return value
