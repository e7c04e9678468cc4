"""The far edge of the media worker: a small platform it can dial, and the worker as a process."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import ipaddress
import os
import socket
import ssl
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import WSMsgType, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey

from foundation.wire.browser import Description, Link
from foundation.wire.message import Message, read, write
from foundation.wire.worker import (
    ASSERTION_AUDIENCE,
    LEASE_AUDIENCE,
    VERSION,
    WORKER_ADAPTER,
    WORKER_KINDS,
    Enrol,
    Enrolled,
    Lease,
    LeaseKey,
    Renew,
    Revoke,
    ServerCandidate,
    ServerDescribe,
    Time,
    WorkerHello,
    WorkerWelcome,
)
from foundation.wire.worker import Path as PathState
from tests.media_worker.recorder.segment_door import SegmentDoor

ROOT = Path(__file__).resolve().parents[2]
CODE = "one-time-code-of-the-operator"


async def eventually(check: Callable[[], object], seconds: float = 5) -> None:
    """Returns when ``check`` is true. Raises TimeoutError after ``seconds``."""
    async with asyncio.timeout(seconds):
        while True:
            if check():
                return
            await asyncio.sleep(0.02)


def udp_socket() -> socket.socket:
    """On loopback, on a port of its own; it does not block."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    one.setblocking(False)
    return one


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost: (certificate and CA, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = directory / "ca.pem", directory / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file


class Platform:
    """Enrols one worker, welcomes it, and keeps what it says."""

    def __init__(self, directory: Path) -> None:
        self.ca_file, self.key_file = make_certificate(directory)
        self.worker = uuid.uuid4()
        self.port = 0
        self.codes = {CODE}
        self.enrolled: list[Enrol] = []
        self.hellos: list[WorkerHello] = []
        self.hello_times: list[float] = []
        self.renewals: list[Renew] = []
        self.messages: list[Message] = []
        self.listeners: list[Callable[[Message], None]] = []
        self.lease_key = Ed25519PrivateKey.generate()
        self.linked = asyncio.Event()
        self.welcomes = True
        #: By how much the platform's clock is ahead of this machine's, and so of the worker's.
        self.ahead_seconds = 0.0
        self.leased: set[tuple[uuid.UUID, uuid.UUID]] = set()
        self.segments = SegmentDoor(self._identity_key, lambda: self.now)
        self._public_key: bytes | None = None
        self._socket: web.WebSocketResponse | None = None
        self._runner: web.AppRunner | None = None
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def now(self) -> float:
        return time.time() + self.ahead_seconds

    async def start(self) -> None:
        application = web.Application(client_max_size=1 << 25)
        self.segments.add_to(application)
        application.router.add_post("/media/enrol", self._enrol)
        application.router.add_get("/media/link", self._link)
        self._runner = web.AppRunner(application, shutdown_timeout=0.2)
        await self._runner.setup()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.ca_file, self.key_file)
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def drop_link(self) -> None:
        """Cuts the TCP connection as a crash would."""
        assert self._socket is not None
        self.linked.clear()
        transport = self._socket._req.transport
        if transport is not None:
            transport.abort()

    # ---------------------------------------------------------------- talking

    async def send(self, message: Message) -> None:
        await self.send_text(write(message))

    async def send_text(self, text: str) -> None:
        await asyncio.wait_for(self.linked.wait(), 10)
        assert self._socket is not None
        await self._socket.send_str(text)

    async def until(self, found: Callable[[Message], bool], seconds: float = 8.0) -> Message:
        """The first message, come or coming, that ``found`` accepts."""
        async with asyncio.timeout(seconds):
            async with self._news:
                while True:
                    for message in self.messages:
                        if found(message):
                            return message
                    await self._news.wait()

    async def until_path(
        self, participant: uuid.UUID, link: Link, state: str, seconds: float = 8.0, epoch: int = 1
    ) -> PathState:
        message = await self.until(
            lambda m: (
                isinstance(m, PathState)
                and (m.participant, m.link, m.state, m.epoch) == (participant, link, state, epoch)
            ),
            seconds,
        )
        assert isinstance(message, PathState)
        return message

    def states_of(self, participant: uuid.UUID) -> set[str]:
        """How the worker says that the paths of ``participant`` are or were."""
        said = [m for m in self.messages if isinstance(m, PathState)]
        return {m.state for m in said if m.participant == participant}

    def token(
        self,
        room: uuid.UUID,
        participant: uuid.UUID,
        epoch: int = 1,
        seconds: float = 60,
        *,
        key: Ed25519PrivateKey | None = None,
        kid: str = "lease-1",
        **claims: object,
    ) -> str:
        now = int(self.now)
        body = {
            "aud": LEASE_AUDIENCE,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + int(seconds),
            "worker": str(self.worker),
            "room": str(room),
            "participant": str(participant),
            "epoch": epoch,
            "mode": "governed",
            "relay_only": False,
        } | claims
        return jwt.encode(
            {"alg": "Ed25519", "kid": kid}, body, private_jwk(key or self.lease_key), ["Ed25519"]
        )

    async def lease(
        self,
        room: uuid.UUID,
        participant: uuid.UUID,
        epoch: int = 1,
        seconds: float = 60,
        **claims: object,
    ) -> None:
        self.leased.add((room, participant))
        await self.send(Lease(token=self.token(room, participant, epoch, seconds, **claims)))

    async def revoke_everyone(self) -> None:
        """Empties all rooms, for the next test."""
        self.welcomes = True
        for room, participant in self.leased:
            await self.send(Revoke(room=room, participant=participant, epoch=1_000))
        self.leased.clear()
        after = len(self.renewals)
        await eventually(
            lambda: any(renewal.participants == 0 for renewal in self.renewals[after:])
        )

    async def describe(
        self,
        room: uuid.UUID,
        participant: uuid.UUID,
        link: Link,
        kind: str,
        sdp: str,
        *,
        epoch: int = 1,
    ) -> None:
        await self.send(
            ServerDescribe(
                room=room,
                participant=participant,
                epoch=epoch,
                link=link,
                description=Description.model_validate({"type": kind, "sdp": sdp}),
            )
        )

    async def candidate(
        self, room: uuid.UUID, participant: uuid.UUID, link: Link, line: str, epoch: int = 1
    ) -> None:
        await self.send(
            ServerCandidate(
                room=room, participant=participant, epoch=epoch, link=link, candidate=line
            )
        )

    # ---------------------------------------------------------------- doors

    async def _enrol(self, request: web.Request) -> web.Response:
        enrol = Enrol.model_validate_json(await request.text())
        if enrol.code not in self.codes:
            return web.json_response({"code": "enrolment_refused"}, status=403)
        self.codes.discard(enrol.code)
        self.enrolled.append(enrol)
        self._public_key = base64.urlsafe_b64decode(enrol.public_key + "=")
        return web.Response(
            text=write(Enrolled(worker=self.worker, link_path="/media/link")),
            content_type="application/json",
        )

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        await socket.send_str(write(Time(now=self.now)))
        hello = read(WORKER_ADAPTER, WORKER_KINDS, await socket.receive_str())
        assert isinstance(hello, WorkerHello)
        self._check_assertion(hello.assertion)
        self.hellos.append(hello)
        self.hello_times.append(time.monotonic())
        if not self.welcomes:
            await socket.close(code=4050)
            return socket
        x = base64.urlsafe_b64encode(self.lease_key.public_key().public_bytes_raw())
        await socket.send_str(
            write(
                WorkerWelcome(
                    version=VERSION,
                    renew_seconds=0.2,
                    lease_keys=[LeaseKey(kid="lease-1", x=x.rstrip(b"=").decode())],
                )
            )
        )
        self._socket = socket
        self.linked.set()
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                break
            message = read(WORKER_ADAPTER, WORKER_KINDS, frame.data)
            if isinstance(message, Renew):
                self.renewals.append(message)
                await socket.send_str(write(Time(now=self.now)))
                continue
            async with self._news:
                self.messages.append(message)
                self._news.notify_all()
            for listener in list(self.listeners):
                listener(message)
        if self._socket is socket:
            self.linked.clear()
        return socket

    def _identity_key(self) -> OKPKey:
        assert self._public_key is not None
        x = base64.urlsafe_b64encode(self._public_key).rstrip(b"=").decode()
        return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})

    def _check_assertion(self, assertion: str) -> None:
        claims = jwt.decode(assertion, self._identity_key(), algorithms=["Ed25519"]).claims
        assert claims["iss"] == str(self.worker)
        assert claims["aud"] == ASSERTION_AUDIENCE
        assert claims["exp"] - claims["iat"] <= 60
        assert abs(claims["iat"] - self.now) < 5
        assert claims["jti"]


def private_jwk(key: Ed25519PrivateKey) -> OKPKey:
    return OKPKey.import_key(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Worker:
    """``python -m media_worker`` as an operator would run it."""

    def __init__(self, directory: Path, platform: Platform, **environment: str) -> None:
        self.directory = directory
        self.platform = platform
        self.identity_file = directory / "identity.json"
        self.code_file = directory / "code"
        self.log_file = directory / "worker.log"
        self._environment = environment
        self.process: asyncio.subprocess.Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)]),
            "CONSILIUM_PLATFORM_URL": f"wss://localhost:{self.platform.port}",
            "CONSILIUM_WORKER_CA": str(self.platform.ca_file),
            "CONSILIUM_WORKER_IDENTITY": str(self.identity_file),
            "CONSILIUM_WORKER_ENROLMENT_FILE": str(self.code_file),
            "CONSILIUM_WORKER_NAME": "test-worker",
        } | self._environment

    async def start(self) -> None:
        if not self.identity_file.exists() and not self.code_file.exists():
            self.code_file.write_text(CODE + "\n")
        with self.log_file.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "media_worker",
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def memory_bytes(self) -> int:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        """Sends SIGTERM; its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 10)


@contextlib.asynccontextmanager
async def running_worker(
    directory: Path, *, ahead_seconds: float = 0.0, **environment: str
) -> AsyncIterator[tuple[Platform, Worker]]:
    """A platform, its clock ``ahead_seconds`` of the worker's, and a worker linked to it."""
    platform = Platform(directory)
    platform.ahead_seconds = ahead_seconds
    await platform.start()
    worker = Worker(directory, platform, **environment)
    await worker.start()
    try:
        await asyncio.wait_for(platform.linked.wait(), 15)
        yield platform, worker
    finally:
        with contextlib.suppress(Exception):
            await worker.terminate()
        if worker.process is not None and worker.process.returncode is None:
            await worker.kill()
        await platform.stop()
