"""The link of a media worker: it dials in, proves who it is, and is told what to carry."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError, transaction

from access import gate
from access.requests import address_of
from access.verbs import Verb
from accounts.actors import stranger
from audit.clock import database_now
from foundation.errors import FAILED_BY_THE_SOCKET, PROBLEMS, ConsiliumError
from foundation.events import announce
from foundation.wire import browser as browser_wire
from foundation.wire import worker as wire
from foundation.wire.message import (
    Message,
    MessageMalformed,
    MessageTooLarge,
    MessageUnknown,
    read,
    write,
)
from media.actions import paths, workers
from media.events import RecordingReported
from media.groups import stay_in_group, worker_group
from media.models import PRESENCE_LASTS, RENEW_SECONDS, MediaWorker, Path, Placement
from meetings.rooms import place_group
from outbox.database import in_database
from vault import signing
from vault.models import SigningKey

log = logging.getLogger(__name__)

#: Messages from a worker waiting for the database; it sends few.
QUEUE_LENGTH = 1_000

#: A worker that was killed and started again dials in within this; then its rooms stay on it.
RETURN_SECONDS = 3.0

#: How often the leases of a worker's calls are looked at.
LEASE_CHECK_SECONDS = 30.0


class WorkerLink(AsyncWebsocketConsumer):
    """One connection of one worker."""

    worker_id: UUID | None = None
    _tasks: Sequence[asyncio.Task[None]] = ()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # A channel layer that is gone ends a consumer without a disconnect.
            for task in self._tasks:
                task.cancel()

    async def connect(self) -> None:
        self._link = uuid4()
        self._queue: asyncio.Queue[wire.WorkerMessage] = asyncio.Queue(QUEUE_LENGTH)
        self._heard = asyncio.Event()
        self._leases_checked = 0.0
        self._refused = False
        self._version = 0
        await self.accept()
        self._tasks = [
            asyncio.create_task(self._handle_queued()),
            asyncio.create_task(self._watch_presence()),
        ]

    async def disconnect(self, code: int) -> None:
        if code in FAILED_BY_THE_SOCKET and not self._refused:
            error = ConsiliumError(FAILED_BY_THE_SOCKET[code])
            with contextlib.suppress(DatabaseError):
                await in_database(_record, self.worker_id, address_of(self.scope), error)
        for task in self._tasks:
            task.cancel()
        worker_id, self.worker_id = self.worker_id, None
        if worker_id is not None:
            await self.channel_layer.group_discard(worker_group(worker_id), self.channel_name)
            await in_database(workers.end_presence, worker_id, self._link)
            _watch_return(worker_id)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._refused:
            return
        try:
            message = read(wire.WORKER_ADAPTER, wire.WORKER_KINDS, text_data or "")
            self._queue.put_nowait(message)
        except MessageTooLarge:
            await self._refuse(ConsiliumError("message_too_large"))
        except MessageUnknown:
            await self._refuse(ConsiliumError("message_unknown"))
        except MessageMalformed:
            await self._refuse(ConsiliumError("message_malformed"))
        except asyncio.QueueFull:
            await self._refuse(ConsiliumError("try_later"))

    async def _refuse(self, error: ConsiliumError) -> None:
        """On the trail, and the end of this link; the code is all a worker is told."""
        if self._refused:
            return
        self._refused = True
        if self.worker_id is not None:  # strangers are for the trail, which counts them
            log.warning("a media worker's link is closed: %s", error.code)
        with contextlib.suppress(DatabaseError):
            # Before the close: that ends this task.
            await in_database(_record, self.worker_id, address_of(self.scope), error)
        await self.close(error.problem.close_code)

    async def _handle_queued(self) -> None:
        try:
            await self._tell_time()
        except Exception:
            log.exception("a media worker could not be told the time")
            await self.close(PROBLEMS["try_later"].close_code)
            return
        while True:
            message = await self._queue.get()
            self._heard.set()
            try:
                await self._handle(message)
            except ConsiliumError as error:
                await self._refuse(error)
            except Exception:
                log.exception("a media worker's %s message failed", message.type)

    async def _handle(self, message: wire.WorkerMessage) -> None:
        if self.worker_id is None:
            if not isinstance(message, wire.WorkerHello):
                raise ConsiliumError("hello_required")
            await self._open(message)
        elif isinstance(message, wire.Renew):
            await self._renew(self.worker_id, message)
        elif isinstance(message, wire.WorkerDescribe):
            await self._described(self.worker_id, message)
        elif isinstance(message, wire.Path):
            await self._path(self.worker_id, message)
        elif isinstance(message, wire.Recording):
            await in_database(_report, self.worker_id, message)

    async def _open(self, hello: wire.WorkerHello) -> None:
        if hello.version not in wire.SPOKEN_VERSIONS:
            raise ConsiliumError("version_unknown")
        worker: MediaWorker = await in_database(_worker_of, hello.assertion, address_of(self.scope))
        await self.channel_layer.group_add(worker_group(worker.pk), self.channel_name)
        await in_database(workers.begin_presence, worker, self._link, hello.capacity)
        self.worker_id = worker.pk
        self._version = hello.version
        keys = await in_database(signing.public_keys, SigningKey.Purpose.LEASE)
        await self._send(
            wire.WorkerWelcome(
                version=hello.version,
                renew_seconds=RENEW_SECONDS,
                lease_keys=[wire.LeaseKey(kid=kid, x=x) for kid, x in keys],
            )
        )
        present = {(held.room, held.participant, held.epoch) for held in hello.present}
        await in_database(paths.reopen_rooms_of, worker.pk, present)

    async def _tell_time(self) -> None:
        now = await in_database(database_now)
        await self._send(wire.Time(now=now.timestamp()))

    async def _renew(self, worker_id: UUID, renew: wire.Renew) -> None:
        kept = await in_database(
            workers.renew_presence, worker_id, self._link, renew.participants, renew.cpu_percent
        )
        if not kept:
            raise ConsiliumError("taken_over")
        await self._tell_time()
        now = asyncio.get_running_loop().time()
        if now - self._leases_checked > LEASE_CHECK_SECONDS:
            self._leases_checked = now
            await in_database(paths.renew_leases, worker_id)
        await stay_in_group(self.channel_layer, worker_group(worker_id), self.channel_name)

    async def _described(self, worker_id: UUID, message: wire.WorkerDescribe) -> None:
        if not await in_database(_is_carried_by, worker_id, message):
            return
        described = browser_wire.Described(
            link=message.link, epoch=message.epoch, description=message.description
        )
        await self.channel_layer.group_send(
            place_group(message.participant),
            {"type": "media.relayed", "message": described.model_dump(mode="json")},
        )

    async def _path(self, worker_id: UUID, message: wire.Path) -> None:
        if not await in_database(_is_carried_by, worker_id, message):
            return
        if message.state == "failed":
            await in_database(paths.restart_path, message.participant, message.epoch)
        elif message.state == "refused":
            await self.channel_layer.group_send(
                place_group(message.participant), {"type": "media.refused"}
            )

    async def _watch_presence(self) -> None:
        """A link that is open but silent is no presence."""
        while True:
            self._heard.clear()
            try:
                await asyncio.wait_for(self._heard.wait(), PRESENCE_LASTS.total_seconds())
            except TimeoutError:
                await self._refuse(ConsiliumError("socket_silent"))
                return

    # ------------------------------------------------------------ commands from the channel layer

    async def worker_lease(self, command: dict[str, Any]) -> None:
        if self.worker_id is not None:
            token = await in_database(
                paths.lease_token, self.worker_id, UUID(command["participant"])
            )
            if token is not None:
                await self._send(wire.Lease(token=token))

    async def worker_describe(self, command: dict[str, Any]) -> None:
        await self._send(wire.ServerDescribe.model_validate(_fields(command)))

    async def worker_candidate(self, command: dict[str, Any]) -> None:
        await self._send(wire.ServerCandidate.model_validate(_fields(command)))

    async def worker_revoke(self, command: dict[str, Any]) -> None:
        await self._send(wire.Revoke.model_validate(_fields(command)))

    async def worker_close_room(self, command: dict[str, Any]) -> None:
        await self._send(wire.CloseRoom.model_validate(_fields(command)))

    async def worker_record(self, command: dict[str, Any]) -> None:
        await self._order(wire.Record, command)

    async def worker_pause_recording(self, command: dict[str, Any]) -> None:
        await self._order(wire.PauseRecording, command)

    async def worker_resume_recording(self, command: dict[str, Any]) -> None:
        await self._order(wire.ResumeRecording, command)

    async def worker_withdraw(self, command: dict[str, Any]) -> None:
        await self._order(wire.Withdraw, command)

    async def worker_stop_recording(self, command: dict[str, Any]) -> None:
        await self._order(wire.StopRecording, command)

    async def _order(self, kind: type[Message], command: dict[str, Any]) -> None:
        """About a recording; a worker of version 1 would end its link for it."""
        if self._version >= wire.RECORDS_SINCE:
            await self._send(kind.model_validate(_fields(command)))

    async def worker_withdrawn(self, command: dict[str, Any]) -> None:
        await self.close(PROBLEMS["worker_unknown"].close_code)

    async def _send(self, message: Message) -> None:
        await self.send(text_data=write(message))


def _worker_of(assertion: str, address: str) -> MediaWorker:
    return workers.worker_of(assertion, stranger(address))


def _record(worker_id: UUID | None, address: str, error: ConsiliumError) -> None:
    worker = MediaWorker.objects.filter(pk=worker_id).first() if worker_id else None
    actor = workers.actor_of(worker) if worker else stranger(address)
    gate.record_refusal(actor, Verb.WORKER_LINK, error, worker)


def _fields(command: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in command.items() if name != "type"}


def _report(worker_id: UUID, message: wire.Recording) -> None:
    """What a worker says of a recording, if it is its to say, for the contexts above."""
    if not Placement.objects.filter(meeting_id=message.room, worker_id=worker_id).exists():
        return
    with transaction.atomic():
        announce(
            RecordingReported(
                meeting_id=message.room,
                recording_id=message.recording,
                run_id=message.run,
                state=message.state,
                reason=message.reason or "",
            )
        )


def _is_carried_by(worker_id: UUID, message: wire.WorkerDescribe | wire.Path) -> bool:
    """A worker speaks only for those placed on it, at their epoch."""
    return Path.objects.filter(
        participation_id=message.participant,
        meeting_id=message.room,
        epoch=message.epoch,
        meeting__placement__worker_id=worker_id,
        meeting__placement__ended_at__isnull=True,
    ).exists()


_returns: set[asyncio.Task[None]] = set()


def _watch_return(worker_id: UUID) -> None:
    """Give a lost worker a moment to come back; then move its rooms."""

    async def watch() -> None:
        await asyncio.sleep(RETURN_SECONDS)
        if worker_id in await in_database(workers.lost_workers):
            await in_database(paths.leave_worker, worker_id)

    task = asyncio.create_task(watch())
    _returns.add(task)
    task.add_done_callback(_returns.discard)
