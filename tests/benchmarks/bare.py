"""A bare call of two pages, to compare with: aiohttp passes their messages on."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from aiohttp import WSMsgType, web

HERE = Path(__file__).parent


class BareRelay:
    """Serves the bare page and passes each message to the others of its room."""

    def __init__(self) -> None:
        self._rooms: dict[str, list[web.WebSocketResponse]] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/bare.html"

    async def _start(self) -> int:
        application = web.Application()
        application.router.add_get("/relay", self._relay)
        application.router.add_static("/", HERE)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    async def _relay(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        others = self._rooms.setdefault(request.query["room"], [])
        for other in others:
            await other.send_str('{"joined": true}')
        others.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                for other in others:
                    if other is not socket:
                        await other.send_str(message.data)
        others.remove(socket)
        return socket
