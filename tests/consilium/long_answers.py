"""An ASGI application whose answers are long, or shorter than they say. For test_web.py.

Its sockets are told something until their end is known, and what that brought about is counted.
"""

from __future__ import annotations

import asyncio
from typing import Any

from autobahn.exception import Disconnected

PIECE = bytes(1 << 18)
PIECES = 400

given = 0
#: Sockets whose end came, and sockets to which something could not be said.
ended = failed = 0


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    global given  # noqa: PLW0603 - the one thing that is counted
    if scope["type"] == "websocket":
        await talk(receive, send)
        return
    path = scope["path"]
    body = {"/sockets": f"{ended} {failed}"}.get(path, str(given)).encode()
    length = {"/long": len(PIECE) * PIECES, "/short": 1_000}.get(path, len(body))
    headers = [(b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if path == "/long":
        for _ in range(PIECES):
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
            given += 1
        body = b""
    elif path == "/short":
        await send({"type": "http.response.body", "body": b"x" * 500, "more_body": True})
        body = b""
    await send({"type": "http.response.body", "body": body})


async def talk(receive: Any, send: Any) -> None:
    global ended, failed  # noqa: PLW0603 - counted, too
    await receive()
    await send({"type": "websocket.accept"})
    end = asyncio.ensure_future(receive())
    try:
        while not end.done():
            await send({"type": "websocket.send", "text": "."})
            await asyncio.sleep(0)
    except Disconnected:
        failed += 1
    finally:
        await end
        ended += 1
