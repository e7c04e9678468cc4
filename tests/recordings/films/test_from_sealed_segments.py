"""From sealed segments to a stored object and back: the film passes through, and nothing else."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from foundation.sealing.reading import SegmentsReader
from foundation.sealing.records import Closing, Protection
from foundation.sealing.runs import RunWriter
from foundation.sealing.stored import (
    ObjectHeader,
    ObjectReader,
    ObjectWriter,
    Wanted,
    generate_data_key,
)
from recordings.films.plan import plan, write
from tests.recordings.films import look, studio
from tests.recordings.films.studio import Person, camera, microphone, run
from tests.recordings.films.test_lips import skew


def test_a_film_goes_from_sealed_segments_into_a_stored_object(tmp_path: Path) -> None:
    hospital, recording = uuid.uuid4(), uuid.uuid4()
    private = X25519PrivateKey.generate()
    worker = RunWriter(hospital, recording, private.public_key().public_bytes_raw())
    person = Person()
    kept: dict[tuple[uuid.UUID, int], bytes] = {}
    for segment in run([camera(person), microphone(person)], 8):
        is_last = isinstance(segment.records[-1], Closing)
        place = worker.run, worker.sequence
        kept[place] = worker.seal(segment.records, last=is_last)
    segments = SegmentsReader(
        organisation=hospital,
        recording=recording,
        protection=Protection.NONE,
        private_key=private.private_bytes_raw(),
        roll=[(worker.run, [hashlib.sha256(s).digest() for s in kept.values()])],
        fetch=lambda name, sequence, most: kept[name, sequence][:most],
        present=lambda: list(kept),
    )

    [film] = plan(lambda: segments, studio.STARTED_US).films
    header = ObjectHeader(
        hospital, recording, uuid.uuid4(), bytes(32), Protection.NONE, film.plaintext_bytes
    )
    data_key = generate_data_key()
    writer = ObjectWriter(header, data_key)
    stored = writer.begin()
    for piece in write(film, lambda: segments):
        stored += writer.write(piece)
    stored += writer.finish()
    assert b"OpusHead" not in stored

    wanted = Wanted(
        hospital, recording, header.object, bytes(32), Protection.NONE, writer.commitment
    )
    reader = ObjectReader(wanted, lambda start, end: stored[start:end], data_key)
    path = tmp_path / "film.webm"
    path.write_bytes(b"".join(reader.read(0, film.plaintext_bytes)))
    assert look.decode_errors(path) == ""
    skew(film, path, person, [2, 6])
