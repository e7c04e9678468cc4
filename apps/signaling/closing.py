"""Lets Daphne close a socket by any registered code (RFC 6455 section 7.4.1).

Autobahn's ``sendClose`` takes 1000 and 3000–4999 only: asked for 1008 it raised, which ended the
application before its clean-up and told the page 1011, an internal error. And by default it drops
the line of whoever sends too much, so that a page never learns why. The application then hears by
which code Autobahn itself ended a connection: that is a refusal, and belongs on the trail.

Nor is the line cut off under somebody who is still talking: that resets it, and what they had not
read yet, the reason, is lost with it. One second to answer is too short for a slow line.
"""

from __future__ import annotations

from daphne.ws_protocol import WebSocketProtocol

from foundation.errors import FAILED_BY_THE_SOCKET

#: How long the other side may take to hear that this is the end, and to answer.
HEARD_SECONDS = 5


def _server_close(self: WebSocketProtocol, code: int | None = None) -> None:
    # What still comes is nobody's work any more.
    self.onMessage = _unheard  # type: ignore[method-assign]
    self.sendCloseFrame(code=1000 if code is None else code)


def _unheard(_payload: bytes, _is_binary: bool) -> None:
    pass


_on_close = WebSocketProtocol.onClose


def _told_by_which_code(
    self: WebSocketProtocol, was_clean: bool, code: int | None, reason: str | None
) -> None:
    # The application was told the other side's code, or 1006: never ours.
    if self.failedByMe:
        code = self.localCloseCode
    elif code in FAILED_BY_THE_SOCKET:
        code = 1000  # somebody who merely says so
    _on_close(self, was_clean, code, reason)  # type: ignore[no-untyped-call]


def by_registered_codes() -> None:
    """For every socket of this process from now on."""
    WebSocketProtocol.serverClose = _server_close  # type: ignore[method-assign]
    WebSocketProtocol.onClose = _told_by_which_code  # type: ignore[method-assign]
    # Autobahn takes attributes of the class before its own settings: fail by 1002, 1007 or 1009.
    WebSocketProtocol.failByDrop = False  # type: ignore[attr-defined]
    WebSocketProtocol.closeHandshakeTimeout = HEARD_SECONDS  # type: ignore[attr-defined]
