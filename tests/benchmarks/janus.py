"""Janus beside us: a VideoRoom that records, with its own files, on this machine alone.

Debian's package; nothing of its own configuration is used. People are stock aiortc, as with us. It
has no candidate on loopback, so both sides use this machine's own address, which does not leave it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import aioice.ice
from aiortc import RTCSessionDescription

from tests.benchmarks.prepared import Prepared, Replay
from tests.media_worker.people import connection
from tests.servers.processes import free_ports

#: Where Debian's package puts what Janus loads.
_MODULES = "/usr/lib/x86_64-linux-gnu/janus"
_ROOMS = itertools.count(1_000)

#: As aioice finds them, whatever was put in its place since.
_addresses = aioice.ice.get_host_addresses

_MAIN = """
general: {{
  configs_folder = "{folder}"
  plugins_folder = "{modules}/plugins"
  transports_folder = "{modules}/transports"
  events_folder = "{modules}/events"
  loggers_folder = "{modules}/loggers"
  debug_level = 3
  session_timeout = 0
}}
media: {{ rtp_port_range = "{first}-{last}" }}
nat: {{ full_trickle = false }}
plugins: {{ disable = "{unused}" }}
transports: {{ disable = "libjanus_websockets.so,libjanus_pfunix.so,libjanus_rabbitmq.so,\
libjanus_mqtt.so,libjanus_nanomsg.so" }}
"""

_HTTP = """
general: {{ json = "compact", base_path = "/janus", http = true, port = {port}, ip = "127.0.0.1", \
https = false }}
admin: {{ admin_http = false }}
"""


def is_installed() -> bool:
    """And reachable: this machine has an address besides loopback."""
    programs = [shutil.which(name) for name in ("janus", "janus-pp-rec")]
    if all(programs) and _addresses(True, False):
        return True
    print("  Janus is not beside us: it takes Debian's janus, and an address besides loopback")
    return False


class Janus:
    """The process, and a way to speak to it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self._url = f"http://127.0.0.1:{port}/janus"
        self._http = aiohttp.ClientSession()

    async def ready(self) -> None:
        async with asyncio.timeout(15):
            while True:
                assert self.process.poll() is None, (self.folder / "janus.log").read_text()
                with contextlib.suppress(aiohttp.ClientError):
                    async with self._http.get(f"{self._url}/info") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)

    async def ask(self, path: str, **message: Any) -> dict[str, Any]:
        message.setdefault("transaction", secrets.token_hex(6))
        async with self._http.post(self._url + path, json=message) as answer:
            said: dict[str, Any] = await answer.json()
        assert said["janus"] in ("success", "ack"), said
        return said

    async def news(self, session: int) -> dict[str, Any]:
        async with self._http.get(f"{self._url}/{session}") as answer:
            said: dict[str, Any] = await answer.json()
        return said

    async def close(self) -> None:
        await self._http.close()


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Janus]:
    """Ends with the process ended, and its recordings in ``folder``/recordings."""
    process, port = _started(folder)
    janus = Janus(process, port, folder)
    before, aioice.ice.get_host_addresses = aioice.ice.get_host_addresses, _addresses
    try:
        await janus.ready()
        yield janus
    finally:
        aioice.ice.get_host_addresses = before
        await janus.close()
        process.terminate()
        process.wait(10)


def _started(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recordings").mkdir(exist_ok=True)
    port, first = free_ports(1), 41_000
    plugins = [path.name for path in Path(_MODULES, "plugins").glob("*.so")]
    unused = ",".join(name for name in plugins if "videoroom" not in name)
    (folder / "janus.jcfg").write_text(
        _MAIN.format(folder=folder, modules=_MODULES, first=first, last=first + 200, unused=unused)
    )
    (folder / "janus.transport.http.jcfg").write_text(_HTTP.format(port=port))
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: {}\n")
    with (folder / "janus.log").open("wb") as log:
        return subprocess.Popen(["janus", "-F", str(folder)], stdout=log, stderr=log), port


class Guest:
    """One in a room: publishes what was prepared, and watches the others."""

    def __init__(self, janus: Janus, prepared: Prepared) -> None:
        self._janus = janus
        self._prepared = prepared
        self._connections = [connection()]
        self.feed = 0

    async def publish(self, room: int) -> None:
        pc = self._connections[0]
        pc.addTransceiver(Replay("audio", self._prepared), direction="sendonly")
        pc.addTransceiver(Replay("video", self._prepared), direction="sendonly")
        await pc.setLocalDescription(await pc.createOffer())
        path, session = await self._attach()
        said = await self._tell(
            path, session, {"request": "join", "ptype": "publisher", "room": room}
        )
        self.feed = said["plugindata"]["data"]["id"]
        answer = await self._tell(
            path,
            session,
            {"request": "configure", "audio": True, "video": True},
            {"type": "offer", "sdp": pc.localDescription.sdp},
        )
        await pc.setRemoteDescription(RTCSessionDescription(answer["jsep"]["sdp"], "answer"))
        await self._hears(session, "webrtcup")

    async def watch(self, room: int, other: Guest) -> None:
        path, session = await self._attach()
        streams = [{"feed": other.feed}]
        offer = await self._tell(
            path,
            session,
            {"request": "join", "ptype": "subscriber", "room": room, "streams": streams},
        )
        pc = connection()
        self._connections.append(pc)
        await pc.setRemoteDescription(RTCSessionDescription(offer["jsep"]["sdp"], "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        answer = {"type": "answer", "sdp": pc.localDescription.sdp}
        await self._tell(path, session, {"request": "start"}, answer)

    async def connected(self) -> None:
        async with asyncio.timeout(15):
            while any(pc.connectionState != "connected" for pc in self._connections):
                await asyncio.sleep(0.05)

    async def leave(self) -> None:
        for pc in self._connections:
            await pc.close()

    async def _attach(self) -> tuple[str, int]:
        session = (await self._janus.ask("", janus="create"))["data"]["id"]
        plugin = {"janus": "attach", "plugin": "janus.plugin.videoroom"}
        handle = (await self._janus.ask(f"/{session}", **plugin))["data"]["id"]
        return f"/{session}/{handle}", session

    async def _tell(
        self, path: str, session: int, body: dict[str, Any], jsep: dict[str, str] | None = None
    ) -> dict[str, Any]:
        message: dict[str, Any] = {"janus": "message", "body": body}
        if jsep is not None:
            message["jsep"] = jsep
        message["transaction"] = secrets.token_hex(6)
        await self._janus.ask(path, **message)
        return await self._hears(session, "event", message["transaction"])

    async def _hears(self, session: int, kind: str, about: str | None = None) -> dict[str, Any]:
        async with asyncio.timeout(15):
            while True:
                said = await self._janus.news(session)
                if said["janus"] == kind and about in (None, said.get("transaction")):
                    assert "error" not in said.get("plugindata", {}).get("data", {}), said
                    return said


async def make_room(janus: Janus) -> int:
    """A room that records everybody."""
    session = (await janus.ask("", janus="create"))["data"]["id"]
    plugin = {"janus": "attach", "plugin": "janus.plugin.videoroom"}
    handle = (await janus.ask(f"/{session}", **plugin))["data"]["id"]
    room = next(_ROOMS)
    body = {
        "request": "create",
        "room": room,
        "publishers": 4,
        "videocodec": "vp8",
        "audiocodec": "opus",
        "record": True,
        "rec_dir": str(janus.folder / "recordings"),
    }
    said = await janus.ask(f"/{session}/{handle}", janus="message", body=body)
    assert said["plugindata"]["data"]["videoroom"] == "created", said
    return room
