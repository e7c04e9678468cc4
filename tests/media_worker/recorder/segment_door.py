"""The platform's door for segments: checks who knocks, keeps the roll, fails when told to."""

from __future__ import annotations

import hashlib
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import OKPKey

AUDIENCE = "consilium:segments"

Run = tuple[uuid.UUID, uuid.UUID]


class SegmentDoor:
    """``answers`` are given instead of its own: a status, or None to cut the line."""

    def __init__(self, key: Callable[[], OKPKey], now: Callable[[], float]) -> None:
        self._key = key
        self._now = now
        self.storage: dict[Run, list[bytes]] = {}
        self.requests: list[tuple[uuid.UUID, int, int | None]] = []
        self.answers: deque[int | None] = deque()
        self.always: int | None = None
        self.jtis: set[str] = set()

    def add_to(self, application: web.Application) -> None:
        application.router.add_put("/media/segments/{recording}/{run}/{sequence}", self._put)

    def runs_of(self, recording: uuid.UUID) -> dict[uuid.UUID, list[bytes]]:
        return {run: kept for (of, run), kept in self.storage.items() if of == recording}

    async def _put(self, request: web.Request) -> web.Response:
        recording, run = (uuid.UUID(request.match_info[name]) for name in ("recording", "run"))
        sequence = int(request.match_info["sequence"])
        self._check(request.headers["Authorization"])
        body = await request.read()
        answer: int | None = self.always
        if self.answers:
            answer = self.answers.popleft()
            if answer is None:
                self.requests.append((run, sequence, None))
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
        if answer is None:
            answer = self._take((recording, run), sequence, body)
        self.requests.append((run, sequence, answer))
        return web.json_response({"code": "some_code"}, status=answer)

    def _take(self, run: Run, sequence: int, body: bytes) -> int:
        kept = self.storage.setdefault(run, [])
        if sequence < len(kept):
            return 200 if kept[sequence] == body else 409
        if sequence > len(kept):
            return 409
        kept.append(body)
        return 201

    def _check(self, header: str) -> None:
        kind, _, token = header.partition(" ")
        assert kind == "Bearer"
        claims: dict[str, Any] = jwt.decode(token, self._key(), algorithms=["Ed25519"]).claims
        assert claims["aud"] == AUDIENCE
        assert claims["exp"] - claims["iat"] <= 60
        assert abs(claims["iat"] - self._now()) < 5
        assert claims["jti"] not in self.jtis
        self.jtis.add(claims["jti"])


def roll(kept: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(segment).digest() for segment in kept]
