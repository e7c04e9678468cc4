"""Being there: ping, sources, leaving."""

from __future__ import annotations

from access import gate
from access.verbs import Verb
from foundation.errors import ConsiliumError
from foundation.wire import browser as wire
from meetings.actions import enter, host
from signaling.hello import Connection
from signaling.outgoing import NOTHING, Outgoing


def ping(connection: Connection, message: wire.Ping) -> Outgoing:
    """Answer; that the page lives is noted beside (``signaling.heartbeat``)."""
    return Outgoing(replies=(wire.Pong(n=message.n),))


def sources(connection: Connection, message: wire.Sources) -> Outgoing:
    enter.show_sources(
        connection.actor,
        connection.participation_id,
        microphone=message.microphone,
        camera=message.camera,
        screen=message.screen,
    )
    return NOTHING


def leave(connection: Connection, message: wire.Leave) -> Outgoing:
    host.leave(connection.actor, connection.participation_id)
    return NOTHING


def hello_again(connection: Connection, message: wire.Hello) -> Outgoing:
    """A socket speaks for one seat; a second hello is a mistake."""
    refusal = ConsiliumError("ticket_spent")
    gate.record_refusal(connection.actor, Verb.ROOM_JOIN, refusal, connection)
    raise refusal
