"""What passes through Redis is sealed under a key of its own, which cookies know nothing of."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.fernet import Fernet, InvalidToken

from consilium import channel_layer
from consilium.channel_layer import SealedRedis
from vault import keyring

MESSAGE = {"type": "room.changed", "seq": 7}


@pytest.fixture
def layer(cast, monkeypatch: pytest.MonkeyPatch) -> SealedRedis:
    # The test's transaction is open on this thread's connection; a pool's would not see its keys.
    monkeypatch.setattr(channel_layer, "wait_for_database", lambda call: call())
    return SealedRedis(hosts=["redis://127.0.0.1:1"], capacity=1000)


def sealed(layer: SealedRedis) -> bytes:
    """The message as Redis would be given it."""
    return layer.serialize(MESSAGE)


def fernet(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key).digest()))


def test_a_message_is_sealed_and_opened_again(layer: SealedRedis) -> None:
    assert b"room.changed" not in sealed(layer)
    assert layer.deserialize(sealed(layer)) == MESSAGE


def test_processes_of_one_installation_read_each_other(layer: SealedRedis) -> None:
    other = SealedRedis(hosts=["redis://127.0.0.1:1"])
    assert other.deserialize(sealed(layer)) == MESSAGE


def test_neither_the_cookie_key_nor_another_key_of_the_vault_opens_it(
    layer: SealedRedis, settings
) -> None:
    token = sealed(layer)[12:]  # behind what makes equal messages different
    installation = keyring.active_key_id(None)
    assert fernet(keyring.derived(installation, channel_layer.PURPOSE)).decrypt(token)
    for key in (settings.SECRET_KEY.encode(), keyring.derived(installation, "seal")):
        with pytest.raises(InvalidToken):
            fernet(key).decrypt(token)
