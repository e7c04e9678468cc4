"""Segments on their way over real TLS: in order, until they are acknowledged, and then deleted."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import threading
import time
import uuid
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc.jwk import OKPKey

from foundation.sealing.records import Opening
from foundation.sealing.runs import RunWriter
from media_worker.clock import Clock
from media_worker.identity import Identity
from media_worker.recorder import shipping as module
from media_worker.recorder.shipping import Shipping
from media_worker.recorder.spool import Kept, Spool
from tests.media_worker.harness import eventually, make_certificate
from tests.media_worker.recorder.segment_door import SegmentDoor


class Quay:
    """A spool, what ships from it, and the door at the other end."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.certificate, self.key = make_certificate(directory)
        self.identity = Identity(uuid.uuid4(), "/media/link", Ed25519PrivateKey.generate())
        x = base64.urlsafe_b64encode(self.identity.key.public_key().public_bytes_raw())
        public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x.rstrip(b"=").decode()})
        self.door = SegmentDoor(lambda: public, time.time)
        self.clock = Clock()
        self.clock.tell(time.time())
        self.spool = Spool(directory / "spool", 1 << 28)
        self.ended: list[tuple[uuid.UUID, uuid.UUID, str]] = []
        self.port = 0
        self.shipping: Shipping | None = None
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        application = web.Application(client_max_size=1 << 25)
        self.door.add_to(application)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, self.key)
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=tls).start()
        self.port = self._runner.addresses[0][1]

    async def shut(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def ship(self, certificate: Path | None = None) -> Shipping:
        tls = ssl.create_default_context(cafile=str(certificate or self.certificate))
        self.shipping = Shipping(
            f"https://localhost:{self.port}",
            tls,
            self.identity,
            self.clock,
            self.spool,
            lambda *ended: self.ended.append(ended),
        )
        self.shipping.start()
        return self.shipping

    def make(self, count: int, *, size: int = 0) -> list[Kept]:
        """A run of ``count`` segments, in the spool."""
        public = X25519PrivateKey.generate().public_key().public_bytes_raw()
        run = RunWriter(uuid.uuid4(), uuid.uuid4(), public)
        return [self.put(run) for _ in range(count)]

    def put(self, run: RunWriter) -> Kept:
        kept = Kept(run.recording, run.run, run.sequence)
        segment = run.seal([Opening(0, 0, 0)])
        assert self.spool.reserve(len(segment))
        self.spool.put(kept, segment, len(segment))
        return kept

    def left(self) -> list[str]:
        return sorted(path.name for path in (self.directory / "spool").glob("*.segment"))

    def aside(self) -> list[str]:
        return sorted(path.name for path in (self.directory / "spool" / "aside").iterdir())

    def taken(self, kept: list[Kept]) -> int:
        return len(self.door.storage.get((kept[0].recording, kept[0].run), []))


@pytest_asyncio.fixture
async def quay(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FIRST_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(module, "LAST_RETRY_SECONDS", 0.1)
    quay = Quay(tmp_path)
    await quay.open()
    yield quay
    if quay.shipping is not None:
        await quay.shipping.close()
    await quay.shut()
    quay.spool.close()


async def test_each_is_acknowledged_once_in_order_and_deleted(quay):
    kept = quay.make(12)
    quay.ship().add_all(kept)
    await eventually(lambda: not quay.left())
    assert [(run, n) for run, n, _ in quay.door.requests] == [(k.run, k.sequence) for k in kept]
    assert {status for _, _, status in quay.door.requests} == {201}
    assert quay.spool.kept_bytes == 0
    assert quay.aside() == []


async def test_what_an_earlier_process_left_is_shipped_in_order(quay):
    kept = quay.make(5)
    others = quay.make(5)
    quay.spool.close()
    quay.spool = Spool(quay.directory / "spool", 1 << 28)
    quay.ship()
    await eventually(lambda: not quay.left())
    for run in (kept, others):
        numbers = [n for of, n, _ in quay.door.requests if of == run[0].run]
        assert numbers == list(range(5))


async def test_a_disk_that_does_not_answer_holds_up_nothing_but_its_segment(quay):
    [slow] = quay.make(1)
    path = quay.directory / "spool" / slow.name
    segment = path.read_bytes()
    path.unlink()
    os.mkfifo(path)  # who reads it waits until somebody writes
    answer = threading.Timer(3, path.write_bytes, [segment])
    answer.start()
    others = quay.make(3)
    quay.ship().add_all([slow, *others])
    await eventually(lambda: quay.taken(others) == 3)
    assert answer.is_alive(), "everybody waited for the disk"
    assert quay.taken([slow]) == 0
    await eventually(lambda: not quay.left())
    assert quay.taken([slow]) == 1


async def test_a_platform_in_trouble_is_asked_again_until_it_takes_everything(quay):
    quay.door.answers.extend([503, 500, 502, None, 429, None, 503])
    kept = quay.make(4)
    quay.ship().add_all(kept)
    await eventually(lambda: not quay.left())
    assert quay.taken(kept) == 4
    assert len(quay.door.requests) == 11
    assert quay.ended == []


async def test_an_acknowledgement_that_was_lost_is_given_again(quay):
    kept = quay.make(2)
    # The platform took number 0, and its answer never came.
    quay.door.storage[(kept[0].recording, kept[0].run)] = [quay.spool.read(kept[0])]
    quay.ship().add_all(kept)
    await eventually(lambda: not quay.left())
    assert [status for _, _, status in quay.door.requests] == [200, 201]


async def test_a_platform_that_is_away_loses_nothing_and_is_shipped_to_when_it_is_back(quay):
    await quay.shut()
    kept = quay.make(6)
    quay.ship().add_all(kept)
    await asyncio.sleep(0.3)  # long enough for several tries
    assert len(quay.left()) == 6
    await quay.open()
    await eventually(lambda: not quay.left())
    assert quay.taken(kept) == 6


async def test_a_conflict_ends_that_run_and_no_other(quay):
    kept, others = quay.make(3), quay.make(3)
    quay.door.storage[(kept[0].recording, kept[0].run)] = [b"other bytes"]
    shipping = quay.ship()
    shipping.add_all([*kept, *others])
    await eventually(lambda: not quay.left())
    assert quay.ended == [(kept[0].recording, kept[0].run, "conflict")]
    assert quay.aside() == sorted(one.name for one in kept)
    assert quay.taken(others) == 3


@pytest.mark.parametrize("status", [404, 410])
async def test_an_unknown_recording_is_put_aside(quay, status):
    quay.door.answers.append(status)
    kept = quay.make(3)
    quay.ship().add_all(kept)
    await eventually(lambda: not quay.left())
    assert quay.aside() == sorted(one.name for one in kept)
    assert [reason for _, _, reason in quay.ended] == ["unknown"]
    assert len(quay.door.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_keeps_everything_until_the_platform_welcomes_anew(quay, status, caplog):
    quay.door.answers.append(status)
    kept = quay.make(3)
    shipping = quay.ship()
    shipping.add_all(kept)
    await eventually(lambda: quay.ended)
    assert [reason for _, _, reason in quay.ended] == ["refused"]
    assert str(status) in caplog.text
    assert len(quay.left()) == 3
    await asyncio.sleep(0.3)
    assert len(quay.door.requests) == 1, "it does not knock again by itself"
    shipping.welcomed()
    await eventually(lambda: not quay.left())
    assert quay.taken(kept) == 3


async def test_a_run_that_is_refused_forever_does_not_hold_up_another(quay):
    stuck, others = quay.make(1), quay.make(5)
    shipping = quay.ship()
    quay.door.answers.append(403)
    shipping.add_all(stuck)
    await eventually(lambda: quay.ended)
    shipping.add_all(others)
    await eventually(lambda: quay.taken(others) == 5)
    await eventually(lambda: quay.left() == [stuck[0].name])


async def test_what_is_no_segment_under_a_segments_name_is_put_aside(quay):
    kept = quay.make(3)
    (quay.directory / "spool" / kept[0].name).write_bytes(b"junk")
    quay.ship().add_all(kept[:1])
    await eventually(lambda: quay.aside() == [kept[0].name])
    assert quay.door.requests == []
    first, second = quay.make(2)
    path = quay.directory / "spool"
    (path / first.name).write_bytes((path / second.name).read_bytes())
    assert quay.shipping is not None
    quay.shipping.add(first)
    await eventually(lambda: first.name in quay.aside())
    assert quay.door.requests == []


async def test_a_platform_with_another_certificate_gets_nothing(quay, tmp_path):
    (tmp_path / "other").mkdir()
    other, _ = make_certificate(tmp_path / "other")
    kept = quay.make(1)
    quay.ship(certificate=other).add_all(kept)
    await asyncio.sleep(0.3)
    assert quay.door.requests == []
    assert len(quay.left()) == 1


async def test_nothing_is_signed_before_the_platform_has_told_the_time(quay):
    quay.clock = Clock()
    kept = quay.make(1)
    shipping = quay.ship()
    shipping.add_all(kept)
    await asyncio.sleep(0.2)
    assert quay.door.requests == []
    quay.clock.tell(time.time())
    shipping.welcomed()
    await eventually(lambda: not quay.left())


async def test_an_answer_that_is_no_http_is_trouble_like_any_other(quay):
    await quay.shut()
    answers = [b"220 mail ready\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"x" * 100_000, b""]

    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop(0) if answers else b"HTTP/1.1 201 Created\r\n\r\n")
        writer.close()

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(quay.certificate, quay.key)
    server = await asyncio.start_server(speak, "127.0.0.1", quay.port, ssl=tls)
    kept = quay.make(2)
    quay.ship().add_all(kept)
    await eventually(lambda: not quay.left())
    assert quay.ended == []
    server.close()
    await quay.shipping.close()
    await quay.open()
