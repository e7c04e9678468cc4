"""Who is in which room, by leases: the worker's whole state, kept in memory only.

Rooms exist while somebody is in them. Every method returns at once; media work happens in each
participant's own tasks.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from uuid import UUID

from foundation.wire.browser import Link
from foundation.wire.message import Message
from foundation.wire.worker import (
    CloseRoom,
    Lease,
    LeaseClaims,
    Path,
    Present,
    RecordingOrder,
    Revoke,
    ServerCandidate,
    ServerDescribe,
)
from media_worker.early import EarlySignals
from media_worker.leases import LeaseBook, LeaseRefused
from media_worker.participant import Office, Participant
from media_worker.recorder.recorders import Recorders

LOG = logging.getLogger("media_worker.rooms")

#: An offer of this many others times three sources must fit into one message of 64 KiB.
MAX_IN_ROOM = 12

#: Epochs that have ended and must not come back by a repeated lease.
MAX_ENDED = 10_000

Key = tuple[UUID, UUID]


class Rooms:
    """``send`` puts a message to the platform into the link's outbox."""

    def __init__(
        self,
        book: LeaseBook,
        capacity: int,
        send: Callable[[Message], None],
        link_is_up: Callable[[], bool],
        recorders: Recorders,
    ) -> None:
        self._book = book
        self._recorders = recorders
        self._capacity = capacity
        self._send = send
        self._office = Office(send, link_is_up, self._ended_by_itself, self._chat)
        self._rooms: dict[UUID, dict[UUID, Participant]] = {}
        self._lapses: dict[Key, asyncio.TimerHandle] = {}
        self._ended: OrderedDict[Key, tuple[int, bool]] = OrderedDict()
        self._early = EarlySignals()
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(len(room) for room in self._rooms.values())

    def present(self) -> list[Present]:
        """Everyone held at the moment, for the platform to compare with what it believes."""
        return [Present(room=p.room, participant=p.id, epoch=p.epoch) for p in self._everyone()]

    def remind(self) -> None:
        """The link to the platform is new: says again what still waits for an answer."""
        for participant in self._everyone():
            participant.subscribe.remind()

    # ---------------------------------------------------------------- messages

    def take(
        self,
        message: Lease | ServerDescribe | ServerCandidate | Revoke | CloseRoom | RecordingOrder,
    ) -> None:
        """Does what the platform says."""
        if isinstance(message, Lease):
            self._lease(message)
        elif isinstance(message, Revoke):
            self._revoke((message.room, message.participant), message.epoch)
        elif isinstance(message, CloseRoom):
            self._recorders.closed(message.room)
            for participant in list(self._rooms.get(message.room, {}).values()):
                self._revoke((participant.room, participant.id), participant.epoch)
        elif isinstance(message, ServerDescribe | ServerCandidate):
            self._signal(message)
        else:
            room = self._rooms.get(message.room, {})
            self._recorders.take(message, {p.id: p.sources for p in room.values()})

    def _signal(self, message: ServerDescribe | ServerCandidate) -> None:
        key = (message.room, message.participant)
        held = self._rooms.get(message.room, {}).get(message.participant)
        if held is not None and held.epoch == message.epoch:
            held.take(message)
        elif message.epoch > max(held.epoch if held else -1, self._ended.get(key, (-1, False))[0]):
            self._early.keep(message)

    def _lease(self, message: Lease) -> None:
        try:
            claims = self._book.verify(message.token)
        except LeaseRefused as refusal:
            LOG.warning("a lease was refused: %s", refusal)
            return
        key = (claims.room, claims.participant)
        ended_epoch, has_failed = self._ended.get(key, (-1, False))
        if claims.epoch <= ended_epoch:
            if has_failed and claims.epoch == ended_epoch:
                self._report(claims, "failed")
            return
        held = self._rooms.get(claims.room, {}).get(claims.participant)
        if held is not None and claims.epoch < held.epoch:
            return
        if held is None or claims.epoch > held.epoch:
            if held is None and not self._has_place(claims.room):
                LOG.warning("a lease was refused: no place left")
                self._report(claims, "refused")
                return
            self._admit(claims, held)
        self._lapse_after(key, self._book.seconds_left(claims))

    def _revoke(self, key: Key, epoch: int) -> None:
        self._remember(key, epoch, has_failed=False)
        held = self._rooms.get(key[0], {}).get(key[1])
        if held is not None and held.epoch <= epoch:
            self._drop(held)

    # ---------------------------------------------------------------- coming and going

    def _has_place(self, room: UUID) -> bool:
        return len(self) < self._capacity and len(self._rooms.get(room, {})) < MAX_IN_ROOM

    def _admit(self, claims: LeaseClaims, earlier: Participant | None) -> None:
        room = self._rooms.setdefault(claims.room, {})
        participant = Participant(claims, self._office)
        room[claims.participant] = participant
        for other in room.values():
            if other is not participant:
                other.subscribe.follow(participant.id, participant.sources)
                participant.subscribe.follow(other.id, other.sources)
        self._recorders.joined(participant.room, participant.id, participant.sources)
        for message in self._early.take(claims.room, claims.participant, claims.epoch):
            participant.take(message)
        if earlier is not None:
            self._close(earlier)

    def _drop(self, participant: Participant) -> None:
        """Ends ``participant`` for everyone in the room."""
        room = self._rooms.get(participant.room, {})
        if room.get(participant.id) is not participant:
            return
        del room[participant.id]
        if not room:
            del self._rooms[participant.room]
        lapse = self._lapses.pop((participant.room, participant.id), None)
        if lapse is not None:
            lapse.cancel()
        self._recorders.left(participant.room, participant.id)
        for other in room.values():
            other.subscribe.unfollow(participant.id)
        self._close(participant)

    def _ended_by_itself(self, participant: Participant) -> None:
        """A participant's media failed; the same epoch does not come back."""
        self._remember((participant.room, participant.id), participant.epoch, has_failed=True)
        self._drop(participant)

    def _lapse_after(self, key: Key, seconds: float) -> None:
        """Drops the participant after ``seconds``, or later if that is already agreed.

        The moment is kept by the loop's clock: a lease that was taken lasts as long as it said,
        whoever's clock is set meanwhile.
        """
        loop = asyncio.get_running_loop()
        moment = loop.time() + seconds
        if key in self._lapses:
            earlier = self._lapses[key]
            earlier.cancel()
            moment = max(moment, earlier.when())
        self._lapses[key] = loop.call_at(moment, self._lapsed, *key)

    def _lapsed(self, room: UUID, who: UUID) -> None:
        held = self._rooms.get(room, {}).get(who)
        if held is not None:
            LOG.info("a lease lapsed")
            held.fail(Link.PUBLISH, "failed")

    def _remember(self, key: Key, epoch: int, *, has_failed: bool) -> None:
        if self._ended.get(key, (-1, False))[0] < epoch:
            self._ended[key] = (epoch, has_failed)
            self._ended.move_to_end(key)
        while len(self._ended) > MAX_ENDED:
            self._ended.popitem(last=False)

    # ---------------------------------------------------------------- the rest

    def _chat(self, sender: Participant, text: str) -> None:
        for other in self._rooms.get(sender.room, {}).values():
            if other is not sender:
                other.chat.deliver(text)

    def _report(self, claims: LeaseClaims, state: str) -> None:
        self._send(
            Path.model_validate(
                {
                    "room": claims.room,
                    "participant": claims.participant,
                    "epoch": claims.epoch,
                    "link": Link.PUBLISH,
                    "state": state,
                }
            )
        )

    def _everyone(self) -> Iterator[Participant]:
        for room in self._rooms.values():
            yield from room.values()

    def _close(self, participant: Participant) -> None:
        task = asyncio.create_task(participant.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Ends everything; returns when it has ended."""
        for participant in list(self._everyone()):
            self._drop(participant)
        if self._closing:
            await asyncio.wait(self._closing)
