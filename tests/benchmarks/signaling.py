"""How long 200 sockets wait for their echo, beside a bare Channels echo under the same Daphne.

Every socket sends a ping a second, spread over the second, for ``SECONDS``; figures are over all
round trips. The platform's ping is read, checked against the schema, counted, answered, and then
noted in the database; the bare consumer sends back what it got. Both over TLS.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.figures import Figure, percentile
from tests.servers.installation import Installation
from tests.servers.processes import REPOSITORY, free_ports, wait_for
from tests.servers.server import PYTHON, small_environment

SOCKETS = 200
SECONDS = 10

#: Makes waiting guests and prints what each one's browser would hold.
SEATS = """
import json
from datetime import timedelta
from django.utils import timezone
from accounts.actors import actor_for
from accounts.models import Department, Organisation, Person, email_index
from foundation.actor import anonymous
from foundation.wire.browser import Mode
from meetings import seats
from meetings.actions import enter, plan, redeem, verify
person = Person.objects.get(email_index=email_index("clinician@example.test"))
actor = actor_for(person, mfa=True)
organisation = Organisation.objects.get()
found = []
for number in range(%d):
    meeting, issued = plan.create_meeting(actor, organisation,
        department=Department.objects.first(), title="", mode=Mode.PRIVATE, relay_only=False,
        starts_at=timezone.now(), guest=plan.NewGuest("Bench", f"echo.{number}@example.test"))
    taken = redeem.redeem_link(anonymous(), issued.link_secret.text)
    verify.request_code(seats.occupant_of(taken.seat), taken.seat.pk)
    code = verify.mint_code(taken.seat.pk)
    seat = verify.verify_code(seats.occupant_of(taken.seat), taken.seat.pk, code.code)
    found.append([seats.cookie_name(meeting.pk), taken.seat_secret.text, str(seat.pk)])
from meetings.models import Seat
for one in found:
    seat = Seat.objects.select_related("participation__meeting").get(pk=one[2])
    one[2] = enter.wait_ticket(seats.occupant_of(seat), seat)
print("SEATS" + json.dumps(found))
"""


def measure(folder: Path) -> list[Figure]:
    installation = Installation(folder / "signaling", "bench-signaling")
    installation.start()
    try:
        printed = installation.manage("shell", "-v", "0", "-c", SEATS % SOCKETS, seconds=300)
        seats = json.loads(printed[printed.index("SEATS") + 5 :])
        url = installation.url.replace("https", "wss") + "/signal"
        ours = asyncio.run(_platform(url, installation.url, installation.trust(), seats))
        bare = _bare(installation)
    finally:
        installation.stop()
    return [
        Figure(
            "signaling.echo_p99_ms",
            percentile(ours, 0.99),
            "ms",
            percentile(bare, 0.99),
            f"(p50 {percentile(ours, 0.5):.1f} beside {percentile(bare, 0.5):.1f}, n={len(ours)})",
        )
    ]


async def _platform(
    url: str, origin: str, trust: ssl.SSLContext, seats: list[list[str]]
) -> list[float]:
    async def come(name: str, secret: str, ticket: str) -> ClientConnection:
        socket = await connect(
            url,
            ssl=trust,
            origin=origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": f"{name}={secret}"},
            open_timeout=60,
        )
        await socket.send(json.dumps({"type": "hello", "version": 1, "ticket": ticket}))
        while json.loads(await socket.recv())["type"] != "welcome":
            pass
        return socket

    sockets = []
    for start in range(0, len(seats), 20):
        sockets += await asyncio.gather(*(come(*seat) for seat in seats[start : start + 20]))
    return await _echo(sockets, lambda n: json.dumps({"type": "ping", "n": n}), '"pong"')


async def _echo(sockets: list[ClientConnection], make, answer: str) -> list[float]:
    """Round trips in milliseconds."""
    samples: list[float] = []

    async def one(number: int, socket: ClientConnection) -> None:
        await asyncio.sleep(number / len(sockets))
        for n in range(SECONDS):
            start = time.perf_counter()
            await socket.send(make(n))
            while answer not in str(await socket.recv()):
                pass
            took = time.perf_counter() - start
            samples.append(took * 1000)
            await asyncio.sleep(max(0.0, 1 - took))

    await asyncio.gather(*(one(number, socket) for number, socket in enumerate(sockets)))
    await asyncio.gather(*(socket.close() for socket in sockets))
    return samples


def _bare(installation: Installation) -> list[float]:
    port = free_ports(1)
    tls = installation.data / "tls"
    endpoint = (
        f"ssl:{port}:privateKey={tls / 'key.pem'}:certKey={tls / 'certificate.pem'}"
        ":interface=127.0.0.1"
    )
    server = subprocess.Popen(
        [
            PYTHON,
            "-m",
            "daphne",
            "-v",
            "0",
            "-e",
            endpoint,
            "tests.benchmarks.echo_app:application",
        ],
        env=small_environment(PYTHONPATH=str(REPOSITORY)),
        cwd=REPOSITORY,
    )
    url = f"wss://localhost:{port}/"
    trust = installation.trust()

    async def run() -> list[float]:
        sockets = []
        for _ in range(SOCKETS // 20):
            sockets += await asyncio.gather(
                *(connect(url, ssl=trust, open_timeout=60) for _ in range(20))
            )
        return await _echo(sockets, lambda n: json.dumps({"type": "ping", "n": n}), "ping")

    try:
        wait_for(lambda: _answers(port), "the bare echo", 30)
        return asyncio.run(run())
    finally:
        server.terminate()
        server.wait(10)


def _answers(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
