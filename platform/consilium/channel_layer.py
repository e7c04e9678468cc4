"""Redis as the channel layer: what passes through it is sealed, and it never holds the key.

The key is derived from the installation's (HKDF with a label of its own), which every process of
the installation can unwrap and Redis cannot. Nothing else is sealed under it.
"""

from __future__ import annotations

from typing import Any

from channels_redis.core import RedisChannelLayer

from outbox.database import wait_for_database
from vault import keyring

#: A part of the key: with another label, processes of two versions do not hear each other.
PURPOSE = "channel-layer"


class SealedRedis(RedisChannelLayer):
    """Made once in a process, by its first connection."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config, symmetric_encryption_keys=[wait_for_database(_key)])


def _key() -> bytes:
    return keyring.derived(keyring.active_key_id(None), PURPOSE)
