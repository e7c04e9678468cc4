"""One participant at one epoch: both peer connections, the chat, and the tasks they need.

Signaling is taken from an inbox by one task, in order, so the link's receive loop never waits for
media. Whatever goes wrong in here ends this participant and nobody else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from foundation.wire.browser import Description, Link
from foundation.wire.message import Message
from foundation.wire.sdp import SdpRefused
from foundation.wire.worker import (
    LeaseClaims,
    Path,
    ServerCandidate,
    ServerDescribe,
    WorkerDescribe,
)
from media_worker.chat import Chat
from media_worker.path import DescriptionRefused, State
from media_worker.plane import Source
from media_worker.publish import SOURCE_KINDS, Publish
from media_worker.subscribe import Subscribe

LOG = logging.getLogger("media_worker.participant")

#: Signaling waiting for its turn: two descriptions with all the candidates they may have.
MAX_INBOX = 64

#: Closing both connections says goodbye over the network and must not take longer.
CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Office:
    """What a participant may ask of the rest of the worker."""

    send: Callable[[Message], None]
    link_is_up: Callable[[], bool]
    ended: Callable[[Participant], None]
    chat: Callable[[Participant, str], None]


class Participant:
    """Made by a lease; lives until it is closed."""

    def __init__(self, claims: LeaseClaims, office: Office) -> None:
        self.room: UUID = claims.room
        self.id: UUID = claims.participant
        self.epoch: int = claims.epoch
        self.sources = (
            Source(SOURCE_KINDS[0]),
            Source(SOURCE_KINDS[1]),
            Source(SOURCE_KINDS[2]),
        )
        self.chat = Chat(self.id, lambda text: office.chat(self, text))
        self.subscribe = Subscribe(
            claims.relay_only, self._path_state, self._offer, office.link_is_up
        )
        self._publish = Publish(self.sources, claims.relay_only, self._path_state, self.chat.open)
        self._office = office
        self._inbox: asyncio.Queue[ServerDescribe | ServerCandidate] = asyncio.Queue(MAX_INBOX)
        self._is_over = False
        self._tasks = [
            asyncio.create_task(self._guarded(Link.PUBLISH, self._read_inbox())),
            asyncio.create_task(self._guarded(Link.PUBLISH, self._publish.run())),
            asyncio.create_task(self._guarded(Link.SUBSCRIBE, self.subscribe.run())),
        ]

    def take(self, message: ServerDescribe | ServerCandidate) -> None:
        """Puts a message of this epoch into the inbox; one too many is dropped."""
        try:
            self._inbox.put_nowait(message)
        except asyncio.QueueFull:
            LOG.warning("a participant's signaling was dropped: too much at once")

    def fail(self, link: Link, state: State) -> None:
        """Reports the end of this participant's media, once."""
        if not self._is_over:
            self._is_over = True
            self._report(link, state)
            self._office.ended(self)

    async def close(self) -> None:
        """Ends all media of this participant. Never raises, and takes ``CLOSE_SECONDS`` at most."""
        self._is_over = True
        for source in self.sources:
            for sink in source.sinks:
                source.remove(sink)
        for task in self._tasks:
            task.cancel()
        closing = [
            asyncio.create_task(self._publish.close()),
            asyncio.create_task(self.subscribe.close()),
        ]
        _, late = await asyncio.wait([*self._tasks, *closing], timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()
        for task in closing:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                LOG.warning("closing a connection failed: %s", type(error).__name__)

    # ---------------------------------------------------------------- tasks

    async def _guarded(self, link: Link, work: Coroutine[Any, Any, None]) -> None:
        """Runs ``work``; its failure is logged by type and ends this participant alone."""
        try:
            await work
        except SdpRefused as refusal:
            LOG.info("a description was refused: %s", refusal.reason)
            self.fail(link, "refused")
        except DescriptionRefused as refusal:
            LOG.info("a description could not be used: %s", refusal)
            self.fail(link, "refused")
        except Exception as error:  # noqa: BLE001 - one participant's fault is nobody else's
            LOG.warning("a participant failed: %s", type(error).__name__)
            self.fail(link, "failed")

    async def _read_inbox(self) -> None:
        has_published = False
        while True:
            message = await self._inbox.get()
            if isinstance(message, ServerCandidate):
                path = self._publish if message.link is Link.PUBLISH else self.subscribe
                await path.add_candidate(message.candidate)
            elif message.link is Link.SUBSCRIBE and message.description.type == "answer":
                self.subscribe.take_answer(message.description.sdp)
            elif message.link is Link.PUBLISH and message.description.type == "offer":
                if has_published:  # the same offer twice, or a browser that lost count
                    continue
                has_published = True
                answer = await self._publish.answer(message.description.sdp)
                self._describe(Link.PUBLISH, Description(type="answer", sdp=answer))

    # ---------------------------------------------------------------- reports

    def _offer(self, offer: str) -> None:
        self._describe(Link.SUBSCRIBE, Description(type="offer", sdp=offer))

    def _describe(self, link: Link, description: Description) -> None:
        self._office.send(
            WorkerDescribe(
                room=self.room,
                participant=self.id,
                epoch=self.epoch,
                link=link,
                description=description,
            )
        )

    def _path_state(self, link: Link, state: State) -> None:
        if state == "connected":
            self._report(link, state)
        else:
            self.fail(link, state)

    def _report(self, link: Link, state: State) -> None:
        self._office.send(
            Path(room=self.room, participant=self.id, epoch=self.epoch, link=link, state=state)
        )
