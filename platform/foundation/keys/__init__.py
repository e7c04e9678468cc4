"""Key services: whoever holds the master key that wraps the organisations' keys.

One interface (``KeyService``), so that a storage provider never needs to hold a key: a local file
(``localfile``) for one machine, AWS KMS, Vault transit and PKCS#11 later.
"""

from __future__ import annotations

from typing import Protocol

#: Bound into every wrap as associated data, e.g. {"organisation": "…", "key": "…"}.
Context = dict[str, str]


class KeyServiceError(Exception):
    """The key service can't be reached or does not know the key."""


class WrapRefused(KeyServiceError):
    """The wrapped key was changed, belongs to another context, or its master key is gone."""


class KeyService(Protocol):
    """Wraps and unwraps short secrets. Implementations never log what passes through."""

    def wrap(self, secret: bytes, context: Context) -> bytes:
        """``secret`` encrypted under the current master key and bound to ``context``."""
        ...

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """What ``wrap`` was given. Raises ``WrapRefused``."""
        ...
