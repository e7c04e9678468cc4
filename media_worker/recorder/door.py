"""One HTTPS connection on which one request follows another: all that shipping needs of HTTP/1.1.

The worker's only other HTTP request (enrolment) blocks, and a thread that is stuck in a dead
network could not be ended; this can be cancelled at any point.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from types import TracebackType
from typing import Self

#: Of an answer, which has a code and a few words.
MAX_HEAD_BYTES = 16_384
MAX_BODY_BYTES = 65_536


class AnswerMalformed(OSError):
    """What came back is no HTTP."""


class Door:
    """Connects when it is used first, and again when the other side has closed."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drops the connection, without a word."""
        streams, self._streams = self._streams, None
        if streams is not None:
            with contextlib.suppress(Exception):
                streams[1].transport.abort()

    async def put(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """The answer's status. Raises OSError; the request may or may not have been taken then."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(
                    self._host, self._port, ssl=self._tls, limit=MAX_HEAD_BYTES
                )
            reader, writer = self._streams
            lines = [f"PUT {path} HTTP/1.1", f"Host: {self._host}:{self._port}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            lines += [f"Content-Length: {len(body)}", "", ""]
            writer.write("\r\n".join(lines).encode("ascii") + body)
            sending = asyncio.ensure_future(writer.drain())
            try:
                # Whoever refuses may answer before it has read everything.
                status = await self._answer(reader)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            return status
        except BaseException as error:
            self.close()
            if isinstance(error, ValueError | EOFError | asyncio.LimitOverrunError):
                raise AnswerMalformed from None
            raise

    async def _answer(self, reader: asyncio.StreamReader) -> int:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        version, _, rest = head[0].partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
            raise AnswerMalformed
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:])
        }
        length = fields.get("content-length", "")
        if (
            version != "HTTP/1.1"
            or "close" in fields.get("connection", "").lower()
            or not length.isdigit()
            or int(length) > MAX_BODY_BYTES
        ):
            self.close()  # what follows is not ours to understand
        else:
            await reader.readexactly(int(length))
        return int(rest[:3])
