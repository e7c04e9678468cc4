"""The web process: Daphne as ``python -m consilium.web``, with the same options.

What it adds is impatience. Twisted waits a minute for the first byte of a request, and fifteen
seconds more for a TLS peer that does not answer its goodbye; whoever opens connections and says
nothing keeps each of them that long. Daphne has no option for either.

What an application sends on a socket that is closing goes nowhere, as on one that is closed, and is
no error of the application's: it cannot know yet (ASGI's WebSocket "send" event).

And two honesties for long answers. Daphne takes whatever an application gives it and keeps it for a
reader who is slow, a whole film if need be: here the application waits. An answer that turns out
shorter than it said is cut off, so that nobody takes it for whole.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import daphne.server
from autobahn.exception import Disconnected
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet.interfaces import IPushProducer
from twisted.web.http import HTTPChannel
from zope.interface import implementer  # type: ignore[import-untyped]

from foundation.private_memory import keep_memory_private

#: A browser speaks as soon as it is connected. This is also how long a connection is kept between
#: two requests, and browsers open a new one without a word.
SILENT_SECONDS = 15

#: From the goodbye until a connection is simply cut.
GOODBYE_SECONDS = 3


class ImpatientFactory(HTTPFactory):
    """Makes the connections of a server; see the module."""

    def __init__(self, server: daphne.server.Server) -> None:
        super().__init__(server)
        self.timeOut = SILENT_SECONDS

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        channel = super().buildProtocol(addr)
        channel.requestFactory = HonestRequest
        return channel


@implementer(IPushProducer)
class Tap:
    """Open while the reader keeps up; Twisted turns it by what waits to be sent."""

    def __init__(self) -> None:
        self.is_open = asyncio.Event()
        self.is_open.set()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.is_open.clear()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.is_open.set()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.is_open.set()  # nobody reads any more: whoever waits goes on to notice


class HonestRequest(WebRequest):
    """One request and its answer."""

    tap: Tap | None = None

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message.get("more_body") and self.tap is None and not self.finished and self.channel:
            self.tap = Tap()
            self.registerProducer(self.tap, True)
        super().handle_reply(message)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        if self.tap is not None:
            self.tap.stopProducing()
        super().connectionLost(reason)

    def finish(self) -> None:
        if self.tap is not None:
            self.unregisterProducer()
        if self._is_cut_short():
            assert self.channel.transport is not None
            self.channel.transport.abortConnection()  # the rest follows from the connection's end
            return
        super().finish()

    def _is_cut_short(self) -> bool:
        said = self.responseHeaders.getRawHeaders(b"content-length") or [b"0"]
        has_body = self.method != b"HEAD" and self.code not in (204, 304)
        return has_body and self.sentLength < int(said[0])


class PatientServer(daphne.server.Server):
    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        with contextlib.suppress(Disconnected):
            await super().handle_reply(protocol, message)
        if isinstance(protocol, HonestRequest) and protocol.tap is not None:
            await protocol.tap.is_open.wait()


def main() -> None:
    keep_memory_private()
    HTTPChannel.abortTimeout = GOODBYE_SECONDS
    CommandLineInterface.server_class = PatientServer
    daphne.server.HTTPFactory = ImpatientFactory  # type: ignore[attr-defined]
    CommandLineInterface.entrypoint()


if __name__ == "__main__":
    main()
