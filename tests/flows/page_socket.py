"""A page's WebSocket without the page: it may say anything, and remembers all it heard.

Synchronous for whoever uses it, so that it can stand beside Playwright in one process.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from foundation.errors import PROBLEMS

if TYPE_CHECKING:  # they know each other: a browser opens sockets, a socket carries its cookies
    from tests.flows.http_door import Browser

_numbers = itertools.count(2)

# One loop in a thread for all sockets. (Two threads on one TLS connection is what OpenSSL forbids.)
_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, daemon=True).start()

T = TypeVar("T")


def on_the_loop(work: Coroutine[Any, Any, T], seconds: float = 20) -> T:
    return asyncio.run_coroutine_threadsafe(work, _loop).result(seconds)


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
            f"wss://localhost:{browser.installation.door}{path}",
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

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """What comes waits on the way meanwhile, as on a line that is slow in one direction."""
        _loop.call_soon_threadsafe(self._line.transport.pause_reading)
        yield
        _loop.call_soon_threadsafe(self._line.transport.resume_reading)

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
            closed_by = self.ends()
            assert closed_by == PROBLEMS[code].close_code, (closed_by, self.heard)

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
