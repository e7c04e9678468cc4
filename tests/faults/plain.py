"""A search for what may lie nowhere in clear: what was said, shown, written, and by whom.

Searched is every place in which an installation keeps or passes on anything. A search that finds
nothing proves something only if it would have found it: ``unsealed`` has the platform's own code
write the same with encryption switched off, in a process of the test's.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import threading
from collections.abc import Mapping

from tests.faults.kept import Kept
from tests.servers import bucket
from tests.servers.redis import Redis

#: Kept beside what a browser sends: 16 bytes from the middle of each encoded frame, as it leaves
#: the encoder.
TAP = """(() => {
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...given) { super(...given); window.theSocket = this; }
  };
  window.frameWindows = {audio: [], video: []};
  const look = `onrtctransform = ({transformer}) => {
    const kind = transformer.options.kind;
    transformer.readable.pipeThrough(new TransformStream({
      transform(frame, on) {
        const size = frame.data.byteLength;
        if (size >= 48) {
          const middle = new Uint8Array(frame.data, size >> 1, 16);
          if (new Set(middle).size > 8) postMessage([kind, btoa(String.fromCharCode(...middle))]);
        }
        on.enqueue(frame);
      },
    })).pipeTo(transformer.writable);
  };`;
  let worker;
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (track, ...more) {
    if (worker === undefined) {
      worker = new Worker(URL.createObjectURL(new Blob([look], {type: 'text/javascript'})));
      worker.onmessage = ({data: [kind, found]}) => {
        if (window.frameWindows[kind].length < 4000) window.frameWindows[kind].push(found);
      };
    }
    const made = add.call(this, track, ...more);
    made.sender.transform = new RTCRtpScriptTransform(worker, {kind: track.kind ?? track});
    return made;
  };
})()"""

#: The beginnings of a film and of a voice.
EBML, DOCUMENT, OPUS = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01", b"B\x82\x84webm", b"OpusHead"

_UNSEALED = """
import base64, uuid
from pathlib import Path
from unittest.mock import patch
from asgiref.sync import async_to_sync
from channels_redis.core import RedisChannelLayer
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import settings
from foundation.sealing import records, segment, stored
from foundation.sealing.records import Codec, Frame, Kind, Opening, Source
from foundation.sealing.runs import RunWriter
from foundation.sealing.stored import ObjectHeader, ObjectWriter
from media_worker.recorder.spool import Kept, Spool
from meetings.models import Guest
from recordings import storage
from recordings.films.plan import plan, write
from tests.recordings.films import studio
from vault import sealing

class NoHpke:
    def encrypt(self, plaintext, public, info):
        return bytes(32) + plaintext + bytes(16)

class NoCobblestone:
    def __init__(self, key, context): pass
    def update(self, piece): return piece if piece else bytes(56)
    def finalize(self): return b""

with (
    patch.object(segment, "_HPKE", NoHpke()),
    patch.object(stored, "Cobblestone256Encryptor", NoCobblestone),
    patch.object(sealing, "seal", lambda organisation, label, text: text),
):
    run = RunWriter(uuid.uuid4(), uuid.uuid4(), X25519PrivateKey.generate().public_key()
                    .public_bytes_raw())
    source = Source(0, uuid.uuid4(), Kind.CAMERA, Codec.VP8)
    frames = [Frame(0, True, 0, 0, n, 1, base64.b64decode(one)) for n, one in enumerate(windows)]
    body = run.seal([Opening(0, 0, 0), source, *frames])
    spool = Spool(settings.DATA / "worker" / "spool-of-the-control", 1 << 26)
    kept = Kept(run.recording, run.run, 0)
    assert spool.reserve(len(body))
    spool.put(kept, body, len(body))
    spool.close()
    storage.blobs().put(storage.segment_name(run.organisation, run.recording, run.run, 0), body)
    person = studio.Person()
    shown = list(studio.run([studio.camera(person), studio.microphone(person)], 2))
    [film] = plan(lambda: shown, studio.STARTED_US).films
    writer = ObjectWriter(ObjectHeader(run.organisation, run.recording, uuid.uuid4(), bytes(32),
                          records.Protection.NONE, film.plaintext_bytes), bytes(32))
    pieces = [writer.begin(), *(writer.write(p) for p in write(film, lambda: shown))]
    storage.blobs().upload(storage.film_name(run.organisation, run.recording, film.place),
                           [*pieces, writer.finish()], retain_until=None)
    Guest.objects.create(organisation_id=organisation, name=texts[0], contact=texts[1],
                                 contact_index="0" * 64)
    layer = RedisChannelLayer(hosts=[settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]])
    async_to_sync(layer.send)("control", {"type": "control", "texts": texts,
                                          "frames": [f.payload for f in frames]})
"""


_OPENED = """
import base64
from foundation.sealing.records import Protection
from foundation.sealing.stored import ObjectReader, Wanted
from recordings import storage
from recordings.models import Recording
from vault import recording_keys
one = Recording.objects.get(pk=recording)
plain = bytearray()
for film in one.films.all():
    name = storage.film_name(one.organisation_id, one.pk, film.pk)
    wanted = Wanted(one.organisation_id, one.pk, film.pk, bytes.fromhex(one.consent_digest),
                    Protection.NONE, bytes.fromhex(film.key_commitment))
    reader = ObjectReader(wanted, lambda a, b, n=name: storage.blobs().read(n, a, b),
                          recording_keys.data_key(one.pk, film.pk))
    reader.whole(plain.extend)
answer = sum(base64.b64decode(window) in plain for window in windows)
"""


class Monitor:
    """Everything that is said to a Redis, as bytes, from now on."""

    def __init__(self, redis: Redis) -> None:
        trust = ssl.create_default_context(cafile=str(redis.tls.authority))
        line = socket.create_connection(("127.0.0.1", redis.port), 5)
        self._line = trust.wrap_socket(line, server_hostname="localhost")
        self._line.settimeout(None)
        self._line.sendall(f"AUTH {redis.password}\r\nMONITOR\r\n".encode())
        self._heard = bytearray()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while data := self._line.recv(65_536):
            self._heard += data

    def stop(self) -> bytes:
        self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()
        return self.heard

    @property
    def heard(self) -> bytes:
        """Without the escapes that MONITOR writes for what is no letter."""
        letters = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}

        def meant(found: re.Match[bytes]) -> bytes:
            if found[1]:
                return bytes([int(found[1], 16)])
            return letters.get(found[2], found[2])

        return re.sub(rb"\\(?:x([0-9a-f]{2})|(.))", meant, bytes(self._heard))


def places(kept: Kept, monitor: Monitor) -> dict[str, bytes]:
    """What lies where, and what went by. The pages' own files are left out: they speak of films."""
    lying = kept.installation.places()
    log = lying.pop("log")
    files = {name: content for name, content in lying.items() if not name.startswith("static/")}
    return {
        "spool": b"".join(content for name, content in files.items() if "spool" in name),
        "data directory": b"".join(c for name, c in files.items() if "spool" not in name),
        "database": kept.installation.dump(),
        "bucket": bucket.content(kept.owner, kept.bucket),
        "redis": kept.redis.content(),
        "redis, monitored": monitor.heard,
        "log": log,
    }


def found(needles: Mapping[str, list[bytes]], where: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """(kind, place) of everything that lies somewhere."""
    return {
        (kind, place)
        for kind, texts in needles.items()
        for place, content in where.items()
        if any(text in content for text in texts)
    }


def in_films(kept: Kept, recording: str, windows: list[bytes]) -> int:
    """How many of ``windows`` are in the recording's films, once these are opened."""
    return int(
        kept.back_room.do(
            _OPENED,
            recording=recording,
            windows=[base64.b64encode(one).decode() for one in windows],
        )
    )


def unsealed(kept: Kept, windows: list[bytes], texts: list[str], organisation: str) -> None:
    """The platform's writers write all of it with encryption switched off. See the module."""
    kept.back_room.do(
        _UNSEALED,
        windows=[base64.b64encode(one).decode() for one in windows],
        texts=texts,
        organisation=organisation,
    )
