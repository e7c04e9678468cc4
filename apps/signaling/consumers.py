"""The socket of one seat: receives, checks, hands to handlers, and sends.

Receiving never waits for the database: a message is measured, counted and put on a bounded queue.
One task takes them off in order. Group messages are hints; what they hint at is read anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError
from django.utils import translation

from access import gate
from access.requests import address_of
from access.verbs import Verb
from accounts.actors import stranger
from foundation.actor import Actor
from foundation.errors import FAILED_BY_THE_SOCKET, PROBLEMS, ConsiliumError, Problem
from foundation.wire import browser as wire
from foundation.wire.message import (
    MAX_MESSAGE_BYTES,
    Message,
    MessageMalformed,
    MessageTooLarge,
    MessageUnknown,
    read,
    write,
)
from media.actions import paths
from media.groups import stay_in_group
from meetings import queries
from meetings.lifecycle import PlaceState
from meetings.rooms import meeting_group, place_group
from outbox.database import in_database
from recordings import queries as recordings
from signaling import hello as opening
from signaling import limits
from signaling.farewell import farewell
from signaling.handlers import HANDLERS, presence
from signaling.heartbeat import heartbeat
from signaling.outgoing import Outgoing

log = logging.getLogger(__name__)


class MeetingConsumer(AsyncWebsocketConsumer):
    """See the module."""

    connection: opening.Connection | None = None
    _tasks: Sequence[asyncio.Task[None]] = ()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # A channel layer that is gone ends a consumer without a disconnect.
            for task in self._tasks:
                task.cancel()

    async def connect(self) -> None:
        self._bucket = limits.Bucket()
        self._queue: asyncio.Queue[wire.ClientMessage] = asyncio.Queue(limits.QUEUE_LENGTH)
        self._heard_at = time.monotonic()
        self._welcomed = False
        self._sent_seq = -1
        self._sent_media: tuple[int, bool] | None = None
        self._media_hinted = False
        self._let_in_already = False
        self._refused = False
        self._ended = False
        self._stale = asyncio.Event()
        self._language = _language_of(self.scope)
        await self.accept()
        self._tasks = [
            asyncio.create_task(self._handle_queued()),
            asyncio.create_task(self._watch_silence()),
            asyncio.create_task(self._refresh()),
        ]

    async def disconnect(self, code: int) -> None:
        self._ended = True
        if code in FAILED_BY_THE_SOCKET and not self._refused:
            # Refused below us, before it was a message; the page was told by the code alone.
            await self._record(ConsiliumError(FAILED_BY_THE_SOCKET[code]))
        for task in self._tasks:
            task.cancel()
        connection, self.connection = self.connection, None
        if connection is not None:
            layer = self.channel_layer
            await layer.group_discard(meeting_group(connection.meeting_id), self.channel_name)
            await layer.group_discard(place_group(connection.participation_id), self.channel_name)
            await in_database(opening.drop_connection, connection)

    # ------------------------------------------------------------ receiving

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._heard_at = time.monotonic()
        if self._ended or self._refused:
            return
        if not self._bucket.take():
            await self._refuse_and_close(PROBLEMS["message_rate"])
            return
        if text_data is None:
            too_big = bytes_data is not None and len(bytes_data) > MAX_MESSAGE_BYTES
            await self._refuse_and_close(
                PROBLEMS["message_too_large" if too_big else "message_malformed"]
            )
            return
        try:
            message = read(wire.CLIENT_ADAPTER, wire.CLIENT_KINDS, text_data)
        except MessageTooLarge:
            await self._refuse_and_close(PROBLEMS["message_too_large"])
        except MessageUnknown:
            await self._refuse_and_close(PROBLEMS["message_unknown"])
        except MessageMalformed:
            await self._refuse_and_close(PROBLEMS["message_malformed"])
        else:
            if isinstance(message, wire.Ping) and self.connection and self._welcomed:
                # At once, and past the queue: a pong tells the page how the line is.
                heartbeat.heard(self.connection.socket)
                for reply in presence.ping(self.connection, message).replies:
                    await self._send(reply)
                return
            try:
                self._queue.put_nowait(message)
            except asyncio.QueueFull:
                await self._refuse_and_close(PROBLEMS["try_later"])

    async def _handle_queued(self) -> None:
        while True:
            message = await self._queue.get()
            try:
                if self.connection is None:
                    await self._open(message)
                else:
                    await self._handle(self.connection, message)
            except ConsiliumError as error:
                await self._record(error, _verb_of(message))
                await self._tell(error.problem, about=message.type)
            except Exception:
                log.exception("a %s message failed", message.type)
                await self._tell(PROBLEMS["try_later"], about=message.type)

    async def _open(self, message: wire.ClientMessage) -> None:
        if not isinstance(message, wire.Hello):
            await self._refuse_and_close(PROBLEMS["hello_required"])
            return
        try:
            connection = await self._identify(message)
        except ConsiliumError as error:
            await self._refuse_hello(error)
            return
        # Groups first: a hint that comes between is answered by what is read after it.
        await self.channel_layer.group_add(meeting_group(connection.meeting_id), self.channel_name)
        await self.channel_layer.group_add(
            place_group(connection.participation_id), self.channel_name
        )
        self.connection = connection
        try:
            media = await in_database(
                opening.open_connection, connection, keep_media=message.keep_media
            )
        except ConsiliumError as error:
            await self._refuse_hello(error)
            return
        await self._welcome(connection, message.version, media)

    async def _identify(self, message: wire.Hello) -> opening.Connection:
        cookies = self.scope.get("cookies", {})
        return await in_database(opening.identify, message, cookies, address_of(self.scope))

    async def _refuse_hello(self, error: ConsiliumError) -> None:
        self._refused = True
        await self._record(error)
        await self._tell(error.problem, about="hello")
        await self._end(error.problem.close_code)

    async def _come_in(self, waiting: opening.Connection, message: wire.Hello) -> None:
        """One who waited says hello again, with a ticket to join."""
        try:
            self._welcomed = False
            cookies, address = self.scope.get("cookies", {}), address_of(self.scope)
            connection, media = await in_database(
                opening.come_in, message, cookies, address, waiting
            )
        except ConsiliumError as error:
            await self._refuse_hello(error)
            return
        self.connection = connection
        await self._welcome(connection, message.version, media)

    async def _welcome(
        self, connection: opening.Connection, version: int, media: wire.Media | None
    ) -> None:
        """The page's call waits for this: nothing is read before it."""
        await self._send(
            wire.Welcome(
                version=version,
                purpose=connection.purpose,
                you=connection.participation_id,
                host=connection.host,
                mode=connection.mode,
                ping_seconds=limits.PING_SECONDS,
                recordable=await in_database(
                    recordings.recordable, connection.organisation_id, connection.mode
                ),
            )
        )
        self._welcomed = True
        self._sent_seq, self._sent_media = -1, None
        await self._show_media(media)
        self._stale.set()
        if self._media_hinted:
            self._media_hinted = False
            await self._send_media(connection)

    async def _handle(self, connection: opening.Connection, message: wire.ClientMessage) -> None:
        if isinstance(message, wire.Hello) and connection.purpose is wire.Purpose.WAIT:
            await self._come_in(connection, message)
            return
        handled = HANDLERS[type(message)]
        if connection.purpose not in handled.purposes:
            raise ConsiliumError("ticket_purpose")
        outgoing: Outgoing = await in_database(handled.handler, connection, message)
        for reply in outgoing.replies:
            await self._send(reply)
        for group, relayed in outgoing.relays:
            await self.channel_layer.group_send(group, relayed)

    async def _watch_silence(self) -> None:
        await asyncio.sleep(limits.HELLO_SECONDS)
        if self.connection is None:
            await self._refuse_and_close(PROBLEMS["hello_required"])
            return
        while True:
            silent = time.monotonic() - self._heard_at
            if silent > limits.SILENCE_SECONDS:
                # Not told: a page that wakes up comes back and has nothing to be sorry for.
                await self._record(ConsiliumError("socket_silent"))
                await self._end(PROBLEMS["socket_silent"].close_code)
                return
            await asyncio.sleep(limits.SILENCE_SECONDS - silent + 0.1)
            if self.connection is not None:
                await self._look_again(self.connection)

    async def _look_again(self, connection: opening.Connection) -> None:
        """Hints may be lost: by a channel layer that was full, emptied or away for a moment."""
        for group in (
            meeting_group(connection.meeting_id),
            place_group(connection.participation_id),
        ):
            await stay_in_group(self.channel_layer, group, self.channel_name)
        await self.room_changed({})
        try:
            await self.media_changed({})
        except Exception:
            log.exception("the media of a place could not be read")

    # ------------------------------------------------------------ hints from the channel layer

    async def room_changed(self, hint: dict[str, Any]) -> None:
        self._stale.set()

    async def media_changed(self, hint: dict[str, Any]) -> None:
        if self.connection is not None and self._welcomed:
            await self._send_media(self.connection)
        else:
            self._media_hinted = True  # perhaps of another's change than our own

    async def media_relayed(self, hint: dict[str, Any]) -> None:
        """A description or candidate for this page; checked by whoever handed it in."""
        if self.connection is not None and self.connection.purpose is wire.Purpose.JOIN:
            await self._send(wire.SERVER_ADAPTER.validate_python(hint["message"]))

    async def media_refused(self, hint: dict[str, Any]) -> None:
        await self._tell(PROBLEMS["sdp_refused"], about="describe")

    async def place_ended(self, hint: dict[str, Any]) -> None:
        """Perhaps this page's time is over; the room itself says so, or not."""
        self._stale.set()

    # ------------------------------------------------------------ sending

    async def _refresh(self) -> None:
        """Send the room anew after hints; many hints in one moment make one reading."""
        while True:
            await asyncio.sleep(limits.READING_SECONDS)
            await self._stale.wait()
            self._stale.clear()
            if self.connection is not None and self._welcomed:
                try:
                    await self._send_room(self.connection)
                except Exception:
                    log.exception("the room could not be read")

    async def _send_room(self, connection: opening.Connection) -> None:
        now = await in_database(queries.room, connection.meeting_id, connection.participation_id)
        await self._show_room(connection, now)

    async def _show_room(self, connection: opening.Connection, now: queries.Room) -> None:
        goodbye = farewell(now, connection)
        if goodbye is not None:
            await self._part(goodbye)
            return
        if now.seq <= self._sent_seq:
            return
        self._sent_seq = now.seq
        if connection.purpose is wire.Purpose.WAIT:
            if now.own_state != PlaceState.WAITING:
                await self._let_in(connection, now)
                return
            await self._send(queries.lobby_message(now, connection.participation_id))
        else:
            state = queries.state_message(now, for_host=connection.host)
            if connection.mode is wire.Mode.GOVERNED:
                shown = await in_database(
                    _recording, connection, self._language, now.consent_is_asked
                )
                state = state.model_copy(update=shown)
            await self._send(state)

    async def _let_in(self, connection: opening.Connection, now: queries.Room) -> None:
        """Hand over the ticket to join, once; a page that loses it asks for another.

        Where the call is recorded, they are asked first whether they agree.
        """
        if now.consent_is_asked and not self._let_in_already:
            question = await in_database(
                recordings.question_at_the_door, connection.participation_id, self._language
            )
            if question is not None:
                lobby = queries.lobby_message(now, connection.participation_id)
                await self._send(lobby.model_copy(update={"question": question}))
                return
        if not self._let_in_already:
            ticket = await in_database(opening.ticket_to_join, connection)
            self._let_in_already = True
            await self._send(wire.Admitted(ticket=ticket))

    async def _send_media(self, connection: opening.Connection) -> None:
        if connection.purpose is wire.Purpose.JOIN:
            await self._show_media(
                await in_database(paths.media_message, connection.participation_id)
            )

    async def _show_media(self, media: wire.Media | None) -> None:
        if media is None or self._sent_media == (media.epoch, media.ready):
            return
        self._sent_media = (media.epoch, media.ready)
        await self._send(media)

    async def _part(self, goodbye: wire.Goodbye) -> None:
        await self._send(goodbye)
        taken_over = goodbye.reason == "taken_over"
        await self._end(PROBLEMS["taken_over"].close_code if taken_over else 1000)

    async def _send(self, message: Message) -> None:
        if not self._ended:
            await self.send(text_data=write(message))

    async def _tell(self, problem: Problem, about: str | None = None) -> None:
        with translation.override(self._language):
            text = translation.gettext(problem.text)
        await self._send(wire.Failure(code=problem.code, text=text, about=about))

    async def _refuse_and_close(self, problem: Problem) -> None:
        """Bad manners: said, put on the trail, and the end of this socket."""
        if self._refused:
            return
        self._refused = True
        await self._tell(problem)
        # Before the close: that ends this task.
        await self._record(ConsiliumError(problem.code))
        await self._end(problem.close_code)

    async def _record(self, error: ConsiliumError, verb: Verb = Verb.ROOM_JOIN) -> None:
        """See that the trail has this refusal. Not having it must not keep a socket open."""
        if not error.recorded:
            connection = self.connection
            actor = connection.actor if connection else None
            with contextlib.suppress(DatabaseError):
                await in_database(_record, actor, address_of(self.scope), verb, error, connection)

    async def _end(self, code: int) -> None:
        if not self._ended:
            self._ended = True
            await self.close(code)


def _recording(
    connection: opening.Connection, language: str, consent_is_asked: bool
) -> dict[str, Message | None]:
    """What ``state`` says of a recording: one that is asked for or runs, else what became of it."""
    if consent_is_asked:
        place = connection.participation_id
        return {"recording": recordings.shown(connection.meeting_id, place, language)}
    return {"recording_over": recordings.over(connection.meeting_id)}


def _record(
    actor: Actor | None,
    address: str,
    verb: Verb,
    error: ConsiliumError,
    connection: opening.Connection | None,
) -> None:
    gate.record_refusal(actor or stranger(address), verb, error, connection)


def _verb_of(message: wire.ClientMessage) -> Verb:
    """What a refused message is called on the trail."""
    door = HANDLERS[type(message)].door
    return door if isinstance(door, Verb) else Verb.ROOM_JOIN


def _language_of(scope: dict[str, Any]) -> str:
    """The language chosen by cookie, else the browser's first that we speak."""
    chosen = scope.get("cookies", {}).get(settings.LANGUAGE_COOKIE_NAME, "")
    headers = dict(scope.get("headers", []))
    wanted = [chosen, *headers.get(b"accept-language", b"").decode("latin-1").split(",")]
    for tag in wanted:
        code = tag.split(";")[0].strip().lower()[:2]
        if code in dict(settings.LANGUAGES):
            return str(code)
    return str(settings.LANGUAGE_CODE)
