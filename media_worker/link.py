"""The worker's one connection to the platform, kept up for ever.

Messages to the platform go through a bounded outbox that survives a reconnection; what the platform
says is handed to ``rooms`` without waiting for media. Calls go on while the platform is away.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from foundation.wire.message import (
    MAX_MESSAGE_BYTES,
    Message,
    MessageMalformed,
    MessageTooLarge,
    MessageUnknown,
    read,
    write,
)
from foundation.wire.worker import (
    SERVER_ADAPTER,
    SERVER_KINDS,
    VERSION,
    Renew,
    ServerMessage,
    Time,
    WorkerHello,
    WorkerWelcome,
)
from media_worker.clock import Clock
from media_worker.identity import Identity, tls_context
from media_worker.leases import LeaseBook, LeaseRefused
from media_worker.recorder.recorders import Recorders
from media_worker.recorder.spool import Spool
from media_worker.rooms import Rooms
from media_worker.settings import Settings

LOG = logging.getLogger("media_worker.link")

#: Messages that wait for the platform: one of each kind for everybody at full capacity.
MAX_OUTBOX = 2_000

#: Until the platform must have told the time and answered hello, and between pings on a silent
#: line.
HELLO_SECONDS = 5.0
PING_SECONDS = 5.0

#: The first retry comes within 200 ms, because a redeployed platform is back at once; then doubling
#: up to 2 s, jittered so that many workers do not knock at the same moment.
FIRST_RETRY_SECONDS = 0.2
LAST_RETRY_SECONDS = 2.0


class PlatformConfused(RuntimeError):
    """The platform said something that is not in the protocol at this point."""


class Link:
    """Dials, says hello, reads and writes, and dials again."""

    def __init__(self, settings: Settings, identity: Identity, spool: Spool) -> None:
        self._settings = settings
        self._identity = identity
        self._url = settings.platform_url + identity.link_path
        self._tls = tls_context(settings)
        self._clock = Clock()
        self._book = LeaseBook(identity.worker, self._clock)
        self._outbox: deque[Message] = deque()
        self._has_mail = asyncio.Event()
        self._is_up = False
        self._was_ever_up = False
        self._cpu = Load()
        self.recorders = Recorders(settings, identity, self._clock, spool, self.send)
        self.rooms = Rooms(
            self._book, settings.capacity, self.send, lambda: self._is_up, self.recorders
        )

    def send(self, message: Message) -> None:
        """Queues ``message``; the oldest is dropped if the platform has been away for long."""
        if len(self._outbox) >= MAX_OUTBOX:
            self._outbox.popleft()
        self._outbox.append(message)
        self._has_mail.set()

    async def run(self) -> None:
        """Stays connected until it is cancelled."""
        self.recorders.start()
        delay = FIRST_RETRY_SECONDS
        is_waiting = (
            False  # started together with the platform, a worker is often the first to be up
        )
        while True:
            try:
                was_welcome = await self._session()
            except asyncio.CancelledError:
                raise
            except (
                OSError,
                TimeoutError,
                WebSocketException,
                PlatformConfused,
                LeaseRefused,
                MessageMalformed,
                MessageTooLarge,
                MessageUnknown,
            ) as error:
                was_welcome = self._is_up
                if self._was_ever_up or not isinstance(error, ConnectionRefusedError):
                    LOG.warning("the link to the platform ended: %s", type(error).__name__)
                elif not is_waiting:
                    is_waiting = True
                    LOG.info("waiting for the platform")
            self._is_up = False
            delay = FIRST_RETRY_SECONDS if was_welcome else min(LAST_RETRY_SECONDS, 2 * delay)
            await asyncio.sleep(delay * random.uniform(0.3, 1.0))  # noqa: S311 - no secret

    # ---------------------------------------------------------------- one connection

    async def _session(self) -> bool:
        """One connection from hello to its end; True if the platform had welcomed us."""
        async with connect(
            self._url,
            ssl=self._tls,
            proxy=None,
            compression=None,
            user_agent_header=None,
            open_timeout=HELLO_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=0.5,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=64,
        ) as socket:
            async with asyncio.timeout(HELLO_SECONDS):
                first = await self._receive(socket)
                if not isinstance(first, Time):
                    raise PlatformConfused
                self._clock.tell(first.now)
                await socket.send(write(self._hello()))
                welcome = await self._receive(socket)
            if not isinstance(welcome, WorkerWelcome) or welcome.version != VERSION:
                raise PlatformConfused
            self._welcomed(welcome)
            tasks = [
                asyncio.create_task(self._read(socket)),
                asyncio.create_task(self._write(socket)),
                asyncio.create_task(self._renew(socket, welcome.renew_seconds)),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        return True

    def _hello(self) -> WorkerHello:
        return WorkerHello(
            version=VERSION,
            assertion=self._identity.assertion(self._clock.now()),
            capacity=self._settings.capacity,
            present=self.rooms.present(),
        )

    def _welcomed(self, welcome: WorkerWelcome) -> None:
        self._book.replace_keys(welcome.lease_keys)
        self._is_up = self._was_ever_up = True
        self.rooms.remind()
        self.recorders.remind()
        LOG.info("linked to the platform")

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            message = await self._receive(socket)
            if isinstance(message, WorkerWelcome):
                self._book.replace_keys(message.lease_keys)
            elif isinstance(message, Time):
                self._clock.tell(message.now)
            else:
                self.rooms.take(message)

    async def _receive(self, socket: ClientConnection) -> ServerMessage:
        text = await socket.recv()
        if not isinstance(text, str):
            raise PlatformConfused
        return read(SERVER_ADAPTER, SERVER_KINDS, text)

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            while self._outbox:
                await socket.send(write(self._outbox[0]))
                self._outbox.popleft()
            self._has_mail.clear()
            await self._has_mail.wait()

    async def _renew(self, socket: ClientConnection, seconds: float) -> None:
        seconds = min(10.0, max(0.2, seconds))
        while True:
            await socket.send(
                write(Renew(participants=len(self.rooms), cpu_percent=self._cpu.percent()))
            )
            await asyncio.sleep(seconds)


class Load:
    """How much this process used the processor since last asked, in percent of one core."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._before = (clock(), time.process_time())

    def percent(self) -> float:
        now = (self._clock(), time.process_time())
        elapsed = now[0] - self._before[0]
        used = now[1] - self._before[1]
        self._before = now
        return round(100 * used / elapsed, 1) if elapsed > 0 else 0.0
