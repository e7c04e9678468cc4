"""A film is stored as a stream, read at any offset, and read by others than us."""

from __future__ import annotations

import hashlib
import random

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.sealing.errors import ObjectTampered, ObjectTruncated, RangeOutside, WrongKey
from foundation.sealing.records import Protection
from foundation.sealing.stored import (
    ObjectHeader,
    ObjectReader,
    ObjectWriter,
    Wanted,
    generate_data_key,
    object_bytes,
)
from tests.foundation.sealing.words import FILM, HOSPITAL, RECORDING
from tests.vectors.sealing import reader

CONSENTS = bytes(range(32))
KEY = generate_data_key()
CHUNK = 16_384

#: Lengths at which something ends: bytes, chunks, and the mebibyte that is fetched at once.
EDGES = [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 64 * CHUNK - 1, 64 * CHUNK, 64 * CHUNK + 1]
sizes = st.sampled_from(EDGES) | st.integers(1, 5 * CHUNK)


def header_of(size, protection=Protection.NONE):
    return ObjectHeader(HOSPITAL, RECORDING, FILM, CONSENTS, protection, size)


def film(size):
    return random.Random(size).randbytes(size)


def stored(plaintext, cuts=()):
    """The stored object, its writer having got the film in pieces."""
    writer = ObjectWriter(header_of(len(plaintext)), KEY)
    made = [writer.begin()]
    assert len(made[0]) == 156
    ends = sorted({min(cut, len(plaintext)) for cut in cuts} | {len(plaintext)})
    for start, end in zip([0, *ends], ends, strict=False):
        made.append(writer.write(plaintext[start:end]))
    made.append(writer.finish())
    data = b"".join(made)
    assert writer.sha256 == hashlib.sha256(data).digest()
    assert writer.commitment == data[124:156]
    return data


def wanted(data, **changed):
    fields = {
        "organisation": HOSPITAL,
        "recording": RECORDING,
        "object": FILM,
        "consent_digest": CONSENTS,
        "protection": Protection.NONE,
        "key_commitment": data[124:156],
    }
    return Wanted(**{**fields, **changed})


def opened(data, key=KEY):
    return ObjectReader(wanted(data), lambda i, j: data[i:j], key)


@settings(max_examples=25, deadline=None)
@given(sizes, st.lists(st.integers(0, 5 * CHUNK), max_size=4))
def test_a_film_of_any_length_in_any_pieces_is_read_by_two_others(size, cuts):
    plaintext = film(size)
    data = stored(plaintext, cuts)
    assert len(data) == object_bytes(size) == reader.object_size(size)
    by_page = reader.WantedObject(
        HOSPITAL.bytes, RECORDING.bytes, FILM.bytes, CONSENTS, 0, data[124:156], KEY
    )
    assert reader.read_object(by_page, data) == plaintext
    library = Cobblestone256Decryptor(KEY, b"consilium/object/1\0" + data[:100])
    assert library.update(data[100:]) + library.finalize() == plaintext


@settings(max_examples=25, deadline=None)
@given(sizes, st.data())
def test_any_part_of_a_film_is_what_is_there(size, chosen):
    plaintext = film(size)
    one = opened(stored(plaintext))
    start = chosen.draw(st.integers(0, size - 1))
    end = chosen.draw(st.integers(start + 1, size))
    assert b"".join(one.read(start, end)) == plaintext[start:end]


@pytest.mark.parametrize("size", EDGES)
def test_reading_back_gives_the_digest_of_what_was_stored(size):
    data = stored(film(size))
    pieces = []
    assert opened(data).verify() == hashlib.sha256(data).digest()
    assert opened(data).whole(pieces.append) == hashlib.sha256(data).digest()
    assert opened(data, key=None).digest() == hashlib.sha256(data).digest()
    assert b"".join(pieces) == film(size)


@pytest.mark.parametrize("size", EDGES)
def test_a_changed_byte_anywhere_is_found_by_reading_back(size):
    data = stored(film(size))
    for at in {156, len(data) // 2, len(data) - 17, len(data) - 1} - set(range(156)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(ObjectTampered) as refused:
            opened(bytes(changed)).verify()
        assert refused.value.where == {"object": str(FILM), "chunk": (at - 156) // (CHUNK + 16)}


def test_a_seek_fetches_the_chunks_it_needs_and_no_more():
    data, asked = stored(film(10 * CHUNK)), []

    def fetch(start, end):
        asked.append((start, end))
        return data[start:end]

    one = ObjectReader(wanted(data), fetch, KEY)
    assert asked == [(0, 156), (len(data) - 1, len(data) + 1)]
    b"".join(one.read(3 * CHUNK + 5, 4 * CHUNK + 5))
    assert asked[2:] == [(156 + 3 * 16_400, 156 + 5 * 16_400)]


@pytest.mark.parametrize("part", [(0, 0), (5, 4), (-1, 4), (0, 101), (100, 101)])
def test_a_part_that_is_not_there_is_refused_at_once(part):
    with pytest.raises(RangeOutside):
        opened(stored(film(100))).read(*part)


@pytest.mark.parametrize("given", [0, 1, 15, 16, 16_399, 20_000])
def test_a_storage_that_gives_too_little_halfway_is_found_at_that_chunk(given):
    data = stored(film(5 * CHUNK))

    def fetch(start, end):
        return data[start:end] if end <= 156 or start > 70_000 else data[start : start + given]

    with pytest.raises(ObjectTampered) as refused:
        ObjectReader(wanted(data), fetch, KEY).verify()
    assert refused.value.where["chunk"] == given // 16_400


def test_a_storage_that_gives_more_than_was_asked_changes_nothing():
    data = stored(film(2 * CHUNK))

    def fetch(start, end):
        return data[start:end] if end > len(data) else data[start : end + 1000]

    one = ObjectReader(wanted(data), fetch, KEY)
    assert b"".join(one.read(0, 2 * CHUNK)) == film(2 * CHUNK)


def test_without_a_key_nothing_is_opened():
    one = opened(stored(film(100)), key=None)
    for attempt in (one.verify, lambda: one.read(0, 1), lambda: one.whole(print)):
        with pytest.raises(ValueError, match="without a data key"):
            attempt()


def test_another_key_is_found_before_anything_is_fetched():
    data, asked = stored(film(CHUNK)), []

    def fetch(start, end):
        asked.append(start)
        return data[start:end]

    with pytest.raises(WrongKey):
        ObjectReader(wanted(data), fetch, generate_data_key())
    assert asked == [0, len(data) - 1]


def test_a_film_of_another_length_than_promised_is_refused():
    writer = ObjectWriter(header_of(100), KEY)
    with pytest.raises(ValueError, match="not begun"):
        writer.write(b"x")
    with pytest.raises(ValueError, match="shorter"):
        writer.finish()
    writer.begin()
    with pytest.raises(ValueError, match="begun already"):
        writer.begin()
    writer.write(bytes(99))
    with pytest.raises(ValueError, match="longer"):
        writer.write(bytes(2))
    with pytest.raises(ValueError, match="shorter"):
        writer.finish()


@pytest.mark.parametrize("size", [0, -1, 1_099_511_627_777])
def test_a_film_of_no_allowed_length_has_no_header(size):
    with pytest.raises(ValueError, match="length"):
        header_of(size)


def test_a_protection_that_is_not_known_has_no_header():
    with pytest.raises(ValueError, match="Protection"):
        header_of(1, protection=2)


def test_a_consent_digest_of_another_length_has_no_header():
    with pytest.raises(ValueError, match="32 bytes"):
        ObjectHeader(HOSPITAL, RECORDING, FILM, b"short", Protection.NONE, 1)


def test_a_tebibyte_is_believed_only_when_its_end_is_there():
    data = ObjectWriter(header_of(1 << 40), KEY).begin()
    with pytest.raises(ObjectTruncated):
        opened(data)


def test_each_object_has_another_salt():
    assert stored(b"film")[100:124] != stored(b"film")[100:124]
