"""An ASGI application whose answers are long, or shorter than they say. For test_web.py."""

from __future__ import annotations

from typing import Any

PIECE = bytes(1 << 18)
PIECES = 400

given = 0


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    global given  # noqa: PLW0603 - the one thing that is counted
    path = scope["path"]
    body = str(given).encode()
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
