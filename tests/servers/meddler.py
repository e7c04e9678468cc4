"""A proxy that meddles: between a client and an HTTP server, for one request as it is told.

It speaks enough HTTP/1.1 to know which request passes and where its body is. Whatever it was not
told about it passes as it is. ``requests`` holds the first line of each that came.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cut:
    """Reset the connection once so much of the request's body has gone through."""

    after: int


@dataclass(frozen=True, slots=True)
class CutAnswer:
    """Let the server do it, and reset the connection after so many bytes of its answer."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer for the server, which is not asked."""

    status: str = "503 Slow Down"


@dataclass(frozen=True, slots=True)
class Hold:
    """Take it and say nothing."""


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Change one bit of the byte at this place of the request's body."""

    at: int


@dataclass(frozen=True, slots=True)
class CorruptAnswer:
    """Change one bit of the byte at this place of the answer's body."""

    at: int


Mischief = Cut | CutAnswer | Answer | Hold | Corrupt | CorruptAnswer


@dataclass(slots=True)
class _Passage:
    """One client's connection: what is to be done with the answer that comes next."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    with_answer: CutAnswer | CorruptAnswer | None = None

    def end(self) -> None:
        for writer in (self.client, self.server):
            writer.transport.abort()


class Meddler:
    """Listens on a free port of 127.0.0.1 and passes to ``target``, a port there."""

    def __init__(self, target: int) -> None:
        self.requests: list[str] = []
        self._target = target
        self._orders: list[tuple[str, Mischief]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._pass, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def meddle(self, pattern: str, mischief: Mischief, times: int = 1) -> None:
        """Do this to the next ``times`` requests whose first line has ``pattern``."""
        self._orders += [(pattern, mischief)] * times

    def came(self, pattern: str) -> int:
        """How many requests came whose first line has ``pattern``."""
        return sum(1 for line in self.requests if re.search(pattern, line))

    @property
    def is_done(self) -> bool:
        """Whether everything that was ordered has happened."""
        return not self._orders

    def stop(self) -> None:
        async def end_tasks() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._call(end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def _order_for(self, line: str) -> Mischief | None:
        for order in self._orders:
            if re.search(order[0], line):
                self._orders.remove(order)
                return order[1]
        return None

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        passage = _Passage(writer, far_writer)
        try:
            # Cancelled by ``stop``, which streams of Python 3.11 would call an error.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await asyncio.gather(
                    self._requests(reader, passage), self._answers(far_reader, passage)
                )
        finally:
            passage.end()

    async def _requests(self, reader: asyncio.StreamReader, passage: _Passage) -> None:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            line = request.split(b"\r\n", 1)[0].decode()
            self.requests.append(line)
            mischief = self._order_for(line)
            if isinstance(mischief, Hold):
                await asyncio.Event().wait()
            if isinstance(mischief, Answer):
                head = "Content-Length: 0\r\nConnection: close"
                passage.client.write(f"HTTP/1.1 {mischief.status}\r\n{head}\r\n\r\n".encode())
                await passage.client.drain()
                # The client may be in the middle of its body: let it read, then end.
                passage.client.write_eof()
                while await reader.read(65_536):
                    pass
                raise ConnectionResetError
            if isinstance(mischief, CutAnswer | CorruptAnswer):
                passage.with_answer = mischief
            passage.server.write(request)
            await self._body(reader, passage, _length(request), mischief)

    async def _body(
        self,
        reader: asyncio.StreamReader,
        passage: _Passage,
        length: int,
        mischief: Mischief | None,
    ) -> None:
        at = 0
        if mischief == Cut(0):
            raise ConnectionResetError
        while at < length:
            data = bytearray(await reader.read(min(65_536, length - at)))
            if not data:
                raise ConnectionResetError
            if isinstance(mischief, Corrupt) and at <= mischief.at < at + len(data):
                data[mischief.at - at] ^= 1
            at += len(data)
            passage.server.write(bytes(data))
            await passage.server.drain()
            if isinstance(mischief, Cut) and at >= mischief.after:
                raise ConnectionResetError

    async def _answers(self, reader: asyncio.StreamReader, passage: _Passage) -> None:
        while data := await reader.read(65_536):
            if passage.with_answer is not None:
                data = await self._meddled(data, reader, passage, passage.with_answer)
                passage.with_answer = None
            passage.client.write(data)
            await passage.client.drain()

    async def _meddled(
        self,
        data: bytes,
        reader: asyncio.StreamReader,
        passage: _Passage,
        mischief: CutAnswer | CorruptAnswer,
    ) -> bytes:
        """The beginning of an answer, up to where the mischief is done."""
        if mischief == CutAnswer():
            raise ConnectionResetError
        place = mischief.after if isinstance(mischief, CutAnswer) else mischief.at + 1
        while len(data) < data.find(b"\r\n\r\n") + 4 + place or b"\r\n\r\n" not in data:
            data += await reader.read(65_536) or _broken()
        end = data.index(b"\r\n\r\n") + 4 + place
        if isinstance(mischief, CutAnswer):
            passage.client.write(data[:end])
            await passage.client.drain()
            raise ConnectionResetError
        return data[: end - 1] + bytes([data[end - 1] ^ 1]) + data[end:]


def _broken() -> bytes:
    raise ConnectionResetError


def _length(head: bytes) -> int:
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0
