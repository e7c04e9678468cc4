"""A recording is read one segment at a time, and no storage decides how much memory that takes."""

from __future__ import annotations

import tracemalloc

import pytest

from foundation.sealing import records
from foundation.sealing.errors import SegmentMalformed, SegmentMissing, SegmentTrailingBytes
from foundation.sealing.reading import SegmentsReader
from foundation.sealing.runs import RunWriter
from foundation.sealing.segment import HEADER_BYTES, SEALED_MOST_BYTES, digest
from tests.foundation.sealing.words import (
    CLOSING,
    HOSPITAL,
    OPENING,
    PICTURE,
    PRIVATE,
    PUBLIC,
    RECORDING,
    picture,
)


class Storage:
    """Segments in files, as a storage would have them, and what was asked of it."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = []

    def put(self, run, sequence, segment):
        (self.folder / f"{run}-{sequence}").write_bytes(segment)

    def fetch(self, run, sequence, most):
        self.asked.append((sequence, most))
        path = self.folder / f"{run}-{sequence}"
        if not path.exists():
            return None
        with path.open("rb") as file:
            return file.read(min(most, path.stat().st_size))


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path)


def written(storage, contents):
    """A run of these segments in the storage; its id and digests."""
    writer, digests = RunWriter(HOSPITAL, RECORDING, PUBLIC), []
    for sequence, content in enumerate(contents):
        segment = writer.seal(content, last=CLOSING in content)
        storage.put(writer.run, sequence, segment)
        digests.append(digest(segment))
    return writer.run, digests


def reader_of(storage, roll, present=()):
    return SegmentsReader(
        organisation=HOSPITAL,
        recording=RECORDING,
        protection=records.Protection.NONE,
        private_key=PRIVATE,
        roll=roll,
        fetch=storage.fetch,
        present=lambda: present,
    )


def test_a_segment_is_given_before_the_next_is_fetched(storage):
    run, digests = written(storage, [[OPENING], [OPENING], [OPENING, CLOSING]])
    reader = reader_of(storage, [(run, digests)])
    for number, opened in enumerate(reader):
        assert opened.sequence == number
        assert [sequence for sequence, _ in storage.asked] == list(range(number + 1))
    assert reader.unfinished == []


def test_a_run_without_an_end_is_said_to_be_unfinished(storage):
    dead, dead_digests = written(storage, [[OPENING]])
    whole, digests = written(storage, [[OPENING, CLOSING]])
    reader = reader_of(storage, [(dead, dead_digests), (whole, digests)])
    assert len(list(reader)) == 2
    assert reader.unfinished == [dead]


def test_segments_before_a_missing_one_are_given(storage):
    run, digests = written(storage, [[OPENING]])
    reading = iter(reader_of(storage, [(run, [*digests, bytes(32)])]))
    assert next(reading).records == (OPENING,)
    with pytest.raises(SegmentMissing):
        next(reading)


def test_of_a_segment_that_is_too_long_no_more_is_taken_than_shows_it(storage):
    run, digests = written(storage, [[OPENING]])
    path = storage.folder / f"{run}-0"
    with path.open("r+b") as file:
        file.truncate(1 << 30)
    with pytest.raises(SegmentTrailingBytes):
        list(reader_of(storage, [(run, digests)]))
    assert storage.asked == [(0, HEADER_BYTES + SEALED_MOST_BYTES + 1)]
    with path.open("r+b") as file:
        file.seek(112)
        file.write(b"\xff" * 4)
    with pytest.raises(SegmentMalformed):
        list(reader_of(storage, [(run, digests)]))


def test_memory_does_not_grow_with_the_recording(storage):
    large = [OPENING, PICTURE, picture(bytes(2_000_000)), picture(bytes(2_000_000))]
    run, digests = written(storage, [large] * 12)
    del large
    tracemalloc.start()
    try:
        for _ in reader_of(storage, [(run, digests)]):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Four copies of 4 MB: one sealed, opened and taken apart, and the one given out before it.
    assert peak < 17_000_000
