"""A room in which nobody is any more is not recorded for ever."""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from foundation.wire.worker import Record
from media_worker.clock import Clock
from media_worker.plane import Source
from media_worker.recorder import recorder as module
from media_worker.recorder.recorder import Recorder
from media_worker.recorder.spool import Spool
from tests.media_worker.harness import eventually


async def test_an_empty_room_ends_its_recording_and_one_with_somebody_does_not(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "SEGMENT_SECONDS", 0.05)
    monkeypatch.setattr(module, "EMPTY_SECONDS", 0.2)
    key = X25519PrivateKey.generate().public_key().public_bytes_raw()
    place = uuid.uuid4()
    order = Record(
        room=uuid.uuid4(),
        recording=uuid.uuid4(),
        organisation=uuid.uuid4(),
        public_key=base64.urlsafe_b64encode(key).decode(),
        places=[place],
    )
    clock = Clock()
    clock.tell(time.time())
    spool = Spool(tmp_path / "spool", 1 << 26)
    kept, told, over = [], [], []
    with ThreadPoolExecutor(1) as pool:
        recorder = Recorder(
            order, clock, spool, pool, kept=kept.append, tell=told.append, over=over.append
        )
        recorder.take_places(order.places)
        recorder.joined(place, (Source("audio"), Source("video"), Source("video")))
        await eventually(lambda: len(kept) > 8)  # twice as long as an empty room is recorded
        assert over == []
        recorder.left(place)
        await asyncio.wait_for(recorder.ended.wait(), 5)
    assert over == [recorder]
    assert (told[-1].state, told[-1].reason) == ("stopped", "room_empty")
    assert spool.read(kept[-1])[11] & 1, "the last segment says so"
    spool.close()
