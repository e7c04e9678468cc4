"""The port: whether it is free before the start, whether the web answers on it afterwards."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterable

ASK_AGAIN_SECONDS = 0.1
ANSWER_SECONDS = 10.0


class DoorShut(Exception):
    """A port cannot be listened on; the message is one line that says what to do."""


def check_free(address: str, ports: Iterable[int]) -> None:
    """Raise ``DoorShut`` for the first of ``ports`` that cannot be had on ``address``."""
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as door:
            # As Daphne will: a port whose last connections are still closing counts as free.
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind((address, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise DoorShut(
                        f"Port {port} is in use; set CONSILIUM_PORT to another one."
                    ) from None
                if error.errno == errno.EACCES:
                    raise DoorShut(
                        f"Port {port} needs root; set CONSILIUM_PORT to one above 1023."
                    ) from None
                raise DoorShut(f"Port {port} cannot be opened: {error.strerror}.") from None


async def wait_until_it_answers(port: int, trust: ssl.SSLContext) -> None:
    """Return once the web on ``port`` of this machine answers a request without a server error."""
    while not await _answers(port, trust):  # noqa: ASYNC110 - another process; it sets no event
        await asyncio.sleep(ASK_AGAIN_SECONDS)


async def _answers(port: int, trust: ssl.SSLContext) -> bool:
    """One request for the front page."""
    writer = None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=trust, server_hostname="localhost"
            )
            writer.write(
                f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode()
            )
            protocol, status, *_ = (await reader.readline()).split() or (b"", b"")
            return protocol.startswith(b"HTTP/") and status < b"500"
    except (OSError, TimeoutError, ValueError):  # not there yet, or not speaking HTTP
        return False
    finally:
        if writer is not None:
            writer.transport.abort()
