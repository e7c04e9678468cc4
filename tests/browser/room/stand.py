"""Scaffolding: plays the server's side of the room page for two browsers. Deleted when the server stands."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import django
from aiohttp import WSMsgType, web
from django.conf import settings

ROOT = Path(__file__).resolve().parents[3]
settings.configure(
    DEBUG=True,
    STATIC_URL="/static/",
    INSTALLED_APPS=["django.contrib.staticfiles"],
    USE_I18N=True,
    ROOT_URLCONF="__main__",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [ROOT / "templates"],
            "OPTIONS": {"builtins": ["django.templatetags.i18n"]},
        }
    ],
)
django.setup()
from django.http import HttpResponse  # noqa: E402
from django.template.loader import get_template  # noqa: E402
from django.urls import path  # noqa: E402

urlpatterns = [
    path("", lambda r: HttpResponse(), name="home"),
    path("promise", lambda r: HttpResponse(), name="promise"),
    path("login", lambda r: HttpResponse(), name="account_login"),
    path("jsi18n/", lambda r: HttpResponse(), name="javascript-catalog"),
]
MEETING = "7d3f0f8e-1111-4222-8333-444455556666"
I18N = """
window.gettext = (t) => t; window.ngettext = (a, b, n) => (n === 1 ? a : b); window.pgettext = (c, t) => t;
window.interpolate = (f, v) => f.replace(/%\\((\\w+)\\)s/g, (m, k) => String(v[k])).replace(/%%/g, '%');
"""
CSP = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'"


class Seat:
    def __init__(self, key: str, name: str, host: bool) -> None:
        self.key, self.name, self.host = key, name, host
        self.id = str(uuid.uuid4())
        self.state = "admitted" if host else "verify"
        self.sources = {"microphone": False, "camera": False, "screen": False}
        self.socket: web.WebSocketResponse | None = None
        self.wait_socket: web.WebSocketResponse | None = None
        self.since = datetime.now(UTC).isoformat()
        self.joined = False


class Room:
    def __init__(self) -> None:
        self.seats = {
            "host": Seat("host", "Dr. Maria Chen", True),
            "guest": Seat("guest", "Asha Patel", False),
        }
        self.tickets: dict[str, tuple[str, str]] = {}
        self.seq = self.epoch = 0
        self.relay_only = False
        self.mode = "private"
        self.over = False
        self.block_sockets = False

    def people(self) -> list[dict]:
        return [
            {
                "id": s.id,
                "name": s.name,
                "host": s.host,
                "connected": s.socket is not None,
                **s.sources,
            }
            for s in self.seats.values()
            if s.joined and s.state == "admitted"
        ]

    def waiting(self) -> list[dict]:
        return [
            {
                "id": s.id,
                "name": s.name,
                "verified_by": ["mailbox"],
                "since": s.since,
                "connected": s.wait_socket is not None,
            }
            for s in self.seats.values()
            if s.state == "waiting"
        ]

    async def tell(self) -> None:
        self.seq += 1
        for s in self.seats.values():
            if s.socket:
                await send(
                    s.socket,
                    {
                        "type": "state",
                        "seq": self.seq,
                        "people": self.people(),
                        "waiting": self.waiting() if s.host else [],
                    },
                )
            if s.wait_socket:
                await send(
                    s.wait_socket,
                    {
                        "type": "lobby",
                        "place": 1,
                        "waiting": 1,
                        "host_here": self.seats["host"].socket is not None,
                    },
                )

    async def media(self, only: Seat | None = None, bump: bool = True) -> None:
        if bump:
            self.epoch += 1
        live = [s for s in self.seats.values() if s.socket]
        ready = len(live) == 2
        for s in live:
            if only and s is not only:
                continue
            other = next((o for o in live if o is not s), None)
            await send(
                s.socket,
                {
                    "type": "media",
                    "path": "peer",
                    "epoch": self.epoch,
                    "ready": ready,
                    "offers": s.host,
                    "peer": other.id if other else None,
                    "relay_only": self.relay_only,
                    "ice_servers": [],
                },
            )


async def send(ws: web.WebSocketResponse, message: dict) -> None:
    if not ws.closed:
        await ws.send_str(json.dumps(message))


room = Room()


def seat_of(request: web.Request) -> Seat:
    return room.seats[request.cookies.get("seat", "guest")]


def problem(code: str, status: int = 403, text: str = "") -> web.Response:
    return web.json_response(
        {"type": "about:blank", "title": code, "status": status, "code": code, "detail": text},
        status=status,
        content_type="application/problem+json",
    )


async def page(request: web.Request) -> web.Response:
    key = request.query.get("as") or request.cookies.get("seat", "guest")
    seat = room.seats[key]
    html = get_template("meetings/room.html").render(
        {
            "csrf_token": "t",
            "room": {
                "meeting": MEETING,
                "stage": "check",
                "name": seat.name,
                "mode": room.mode,
                "host": seat.host,
                "organisation": "St. Mary's",
                "hint": "",
            },
        }
    )
    response = web.Response(
        text=html, content_type="text/html", headers={"Content-Security-Policy": CSP}
    )
    response.set_cookie("seat", key)
    return response


async def me(request: web.Request) -> web.Response:
    s = seat_of(request)
    stage = (
        "ended"
        if room.over
        else {
            "verify": "verify",
            "verified": "check",
            "waiting": "wait",
            "admitted": "call" if s.joined or not s.host else "check",
            "declined": "check",
        }.get(s.state, "check")
    )
    return web.json_response(
        {
            "stage": stage,
            "name": s.name,
            "host": s.host,
            "mode": room.mode,
            "organisation": "St. Mary's",
            "sent_to": "a•••@example.org",
            "resume": s.joined,
        }
    )


async def send_code(request: web.Request) -> web.Response:
    return web.json_response(
        {"sent_to": "a•••@example.org", "expires_seconds": 600, "resend_after_seconds": 30}
    )


async def check_code(request: web.Request) -> web.Response:
    if (await request.json())["code"] != "123456":
        return problem("code_wrong", 403, "That code is not right. Please check it and try again.")
    seat_of(request).state = "verified"
    return web.json_response({"verified": True})


async def ticket(request: web.Request) -> web.Response:
    body = await request.json()
    s = seat_of(request)
    if room.over:
        return problem("meeting_closed", 410)
    if body["purpose"] == "wait" and s.state == "verified":
        s.state, s.since = "waiting", datetime.now(UTC).isoformat()
    if body["purpose"] == "join" and s.state != "admitted":
        return problem("not_admitted")
    if body["purpose"] == "join" and s.socket and not s.socket.closed and body.get("takeover"):
        old, s.socket = s.socket, None
        await send(old, {"type": "goodbye", "reason": "taken_over", "may_return": True})
        await old.close(code=4034)
    t = secrets.token_urlsafe(24)
    room.tickets[t] = (s.key, body["purpose"])
    return web.json_response({"ticket": t, "expires_seconds": 60})


async def signal(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse()
    if room.block_sockets:
        raise web.HTTPServiceUnavailable
    await ws.prepare(request)
    hello = json.loads((await ws.receive(timeout=10)).data)
    key, purpose = room.tickets.pop(hello["ticket"])
    s = room.seats[key]
    await send(
        ws,
        {
            "type": "welcome",
            "version": 1,
            "purpose": purpose,
            "you": s.id,
            "host": s.host,
            "mode": room.mode,
            "ping_seconds": 5,
        },
    )
    if purpose == "wait":
        s.wait_socket = ws
        if s.state == "admitted":
            await send(ws, {"type": "admitted"})
    else:
        old, s.socket = s.socket, ws
        if old and not old.closed:
            asyncio.ensure_future(old.close(code=4000))
        s.joined = True
    await room.tell()
    if purpose == "join":
        if hello.get("keep_media"):
            await room.media(only=s, bump=False)
        else:
            await room.media()
    async for m in ws:
        if m.type != WSMsgType.TEXT:
            continue
        d = json.loads(m.data)
        await on_message(s, ws, d)
    if s.socket is ws:
        s.socket = None
        await room.tell()
    if s.wait_socket is ws:
        s.wait_socket = None
        await room.tell()
    return ws


async def on_message(s: Seat, ws: web.WebSocketResponse, d: dict) -> None:
    log.append((s.key, d))
    kind = d["type"]
    by_id = {x.id: x for x in room.seats.values()}
    other = next(x for x in room.seats.values() if x is not s)
    if kind == "ping":
        await send(ws, {"type": "pong", "n": d["n"]})
    elif kind == "describe" and d["epoch"] == room.epoch and other.socket:
        await send(
            other.socket,
            {
                "type": "described",
                "link": d["link"],
                "epoch": d["epoch"],
                "description": d["description"],
            },
        )
    elif kind == "candidate" and d["epoch"] == room.epoch and other.socket:
        await send(
            other.socket,
            {
                "type": "remote_candidate",
                "link": d["link"],
                "epoch": d["epoch"],
                "candidate": d["candidate"],
                "mid": d["mid"],
                "line": d["line"],
            },
        )
    elif kind == "sources":
        s.sources = {k: d[k] for k in ("microphone", "camera", "screen")}
        await room.tell()
    elif kind == "restart_media" and d["epoch"] == room.epoch:
        await room.media()
    elif kind == "admit":
        x = by_id[d["participation"]]
        x.state = "admitted"
        if x.wait_socket:
            await send(x.wait_socket, {"type": "admitted"})
        await room.tell()
    elif kind in ("decline", "remove"):
        x = by_id[d["participation"]]
        x.state = "declined"
        for sock in (x.wait_socket, x.socket):
            if sock:
                await send(
                    sock,
                    {
                        "type": "goodbye",
                        "reason": "declined" if kind == "decline" else "removed",
                        "may_return": False,
                    },
                )
                await sock.close(code=4000)
        x.socket = None
        await room.tell()
        await room.media()
    elif kind == "leave":
        await send(ws, {"type": "goodbye", "reason": "left", "may_return": True})
        if s.socket is ws:
            s.socket, s.joined = None, False
        await room.tell()
        await room.media()
        await ws.close()
    elif kind == "end_meeting":
        room.over = True
        for x in room.seats.values():
            for sock in (x.socket, x.wait_socket):
                if sock:
                    await send(sock, {"type": "goodbye", "reason": "ended", "may_return": False})
                    await sock.close()


log: list[tuple[str, dict]] = []


async def control(request: web.Request) -> web.Response:
    """For the drives: reset, cut a socket, set a seat's state, read the log."""
    global room
    q = request.query
    if "reset" in q:
        room = Room()
        room.mode = q.get("mode", "private")
        log.clear()
    if "state" in q:
        room.seats["guest"].state = q["state"]
        await room.tell()
    if "block" in q:
        room.block_sockets = q["block"] == "yes"
    if "cut" in q:
        s = room.seats[q["cut"]]
        for sock in (s.socket, s.wait_socket):
            if sock and request.app["transports"].get(id(sock)):
                pass
            if sock and sock._req and sock._req.transport:
                sock._req.transport.abort()
    if "say" in q:
        for s in room.seats.values():
            if s.socket:
                await send(s.socket, json.loads(q["say"]))
    return web.json_response(
        {
            "epoch": room.epoch,
            "log": [[k, {a: b for a, b in d.items() if a != "ticket"}] for k, d in log],
        }
    )


async def i18n(request: web.Request) -> web.Response:
    return web.Response(text=I18N, content_type="text/javascript")


@web.middleware
async def no_cache(request: web.Request, handler) -> web.StreamResponse:
    response = await handler(request)
    if not isinstance(response, web.WebSocketResponse):
        response.headers["Cache-Control"] = "no-store"
    return response


bare_sockets: list = []


async def bare(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    bare_sockets.append(ws)
    for o in bare_sockets:
        if o is not ws and not o.closed:
            await o.send_str('{"peer":"joined"}')
    async for m in ws:
        for o in bare_sockets:
            if o is not ws and not o.closed:
                await o.send_str(m.data)
    bare_sockets.remove(ws)
    return ws


app = web.Application(middlewares=[no_cache])
app["transports"] = {}
base = f"/meetings/{MEETING}"
app.add_routes(
    [
        web.get(f"{base}/room/", page),
        web.get(f"{base}/me", me),
        web.post(f"{base}/verification/send", send_code),
        web.post(f"{base}/verification/check", check_code),
        web.post(f"{base}/ticket", ticket),
        web.get("/signal", signal),
        web.get("/jsi18n/", i18n),
        web.get("/control", control),
        web.get("/bare", bare),
        web.get("/blank", lambda r: web.Response(text="<body>", content_type="text/html")),
        web.static("/static", ROOT / "static"),
    ]
)
if __name__ == "__main__":
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]) if len(sys.argv) > 1 else int(os.environ.get("PORT", "8790")),
        print=None,
    )
