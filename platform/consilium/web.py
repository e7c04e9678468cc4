"""The web process: Daphne as ``python -m consilium.web``, with the same options.

What it adds is impatience. Twisted waits a minute for the first byte of a request, and fifteen
seconds more for a TLS peer that does not answer its goodbye; whoever opens connections and says
nothing keeps each of them that long. Daphne has no option for either.
"""

from __future__ import annotations

import daphne.server
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory
from twisted.web.http import HTTPChannel

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


def main() -> None:
    keep_memory_private()
    HTTPChannel.abortTimeout = GOODBYE_SECONDS
    daphne.server.HTTPFactory = ImpatientFactory  # type: ignore[attr-defined]
    CommandLineInterface.entrypoint()


if __name__ == "__main__":
    main()
