"""Of a whole recording, what has a key is opened and the rest is still shown to be unchanged."""

from __future__ import annotations

import base64
from uuid import UUID

import pytest

from foundation.sealing.errors import ObjectReplaced, ObjectTampered
from foundation.sealing.whole import verify_recording
from tests.vectors.test_product import one_manifest
from tests.vectors.test_sealing import CASES

VISIT = CASES["recording-visit"]
STORED = {UUID(name): base64.b64decode(data) for name, data in VISIT["storage_base64"].items()}
KEYS = {UUID(name): bytes.fromhex(key) for name, key in VISIT["data_keys"].items()}
FIRST, SECOND = STORED


def verify(stored, keys):
    given = []
    verify_recording(
        one_manifest(VISIT),
        stored,
        lambda name, i, j: stored[name][i:j],
        keys,
        lambda name, _: given.append(name),
    )
    return set(given)


def test_only_what_has_a_key_is_given():
    assert verify(STORED, KEYS) == {FIRST, SECOND}
    assert verify(STORED, {FIRST: KEYS[FIRST]}) == {FIRST}
    assert verify(STORED, {}) == set()


def test_damage_is_found_with_a_key_in_its_chunk_and_without_one_in_the_digest():
    data = bytearray(STORED[SECOND])
    data[-1] ^= 1
    damaged = {**STORED, SECOND: bytes(data)}
    with pytest.raises(ObjectTampered) as refused:
        verify(damaged, KEYS)
    assert refused.value.where["object"] == str(SECOND)
    with pytest.raises(ObjectReplaced) as refused:
        verify(damaged, {FIRST: KEYS[FIRST]})
    assert refused.value.where == {"object": str(SECOND)}
