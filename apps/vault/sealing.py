"""Sealing of column text, keyed indexes and keyed hashes.

Sealed text is ``s1.<key id hex>.<base64url of nonce and ciphertext>``: AES-256-GCM under a key
derived for sealing, with the label (table and column) and the key id as associated data, so a
value moved to another column or organisation does not open. A 96 bit random nonce is safe for
2^32 values under one key (NIST SP 800-38D 8.3).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault import keyring

_PREFIX = "s1"
_NONCE_BYTES = 12


class SealBroken(ValueError):
    """The text was changed, is of another column, or its key is gone."""


class _Sealer:
    """What ``foundation.keys.personal`` asks for."""

    def seal(self, organisation_id: UUID | None, label: str, text: str) -> str:
        key_id = keyring.active_key_id(organisation_id)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(keyring.derived(key_id, "seal")).encrypt(
            nonce, text.encode(), _bound(label, key_id)
        )
        return _written(key_id, nonce + sealed)

    def open_sealed(self, label: str, sealed: str) -> str:
        try:
            prefix, key_hex, encoded = sealed.split(".")
            key_id = UUID(hex=key_hex)
            raw = base64.urlsafe_b64decode(encoded)
            # One text, one way to write it: the decoders forgive what nobody sealed.
            if sealed != _written(key_id, raw) or prefix != _PREFIX:
                raise SealBroken("not sealed by this version")
            return (
                AESGCM(keyring.derived(key_id, "seal"))
                .decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(label, key_id))
                .decode()
            )
        except (ValueError, InvalidTag, keyring.KeyMissing) as error:
            raise SealBroken("sealed text does not open") from error


sealer = _Sealer()
seal = sealer.seal
open_sealed = sealer.open_sealed


def index(organisation_id: UUID | None, label: str, text: str) -> str:
    """A keyed index of ``text`` for exact search: equal texts are equal, nothing else shows."""
    key = keyring.derived(keyring.active_key_id(organisation_id), f"index/{label}")
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def keyed_hash(label: str, secret: str) -> str:
    """What is stored instead of a session key, a link's secret or a code: 64 hex characters."""
    key = keyring.derived(keyring.active_key_id(None), f"hash/{label}")
    return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()


def _written(key_id: UUID, raw: bytes) -> str:
    return f"{_PREFIX}.{key_id.hex}.{base64.urlsafe_b64encode(raw).decode()}"


def _bound(label: str, key_id: UUID) -> bytes:
    return f"{_PREFIX}\0{label}\0{key_id.hex}".encode()
