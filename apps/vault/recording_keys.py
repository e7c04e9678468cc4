"""The keys of recordings: one key for each, and under it the private half and the data keys.

A recording's key lies wrapped twice: under its organisation's key, and that under the master key.
Everything else of the recording lies wrapped under its key, so one row decides about all of it:
``shred`` empties that row, and nothing of the recording opens any more (docs/keys.md section 9).

Who may ask is decided by the caller, whose action puts it on the trail; what is given out is
counted here. Unwrapped keys are for one act: callers do not keep them.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db.models import F
from django.db.models.functions import Now

from foundation.keys import WrapRefused
from vault import keyring
from vault.models import DataKey, RecordingKey

_NONCE_BYTES = 12
_KEY_BYTES = 32


class KeyDestroyed(LookupError):
    """The key was destroyed, or there never was one: nobody can open this any more."""


def make(organisation_id: UUID, recording_id: UUID) -> bytes:
    """Make the recording's key and its X25519 pair; the public half (32 bytes).

    Expects the transaction in which the recording is ordered. Raises ``KeyMissing`` for an
    organisation without a key, ``IntegrityError`` for a recording that has one.
    """
    secret = secrets.token_bytes(_KEY_BYTES)
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    key_id = keyring.active_key_id(organisation_id)
    inner = _encrypt(keyring.derived(key_id, "recording"), secret, _bound(recording_id, "key"))
    row = RecordingKey(
        recording_id=recording_id,
        organisation_id=organisation_id,
        organisation_key_id=key_id,
        wrapped=keyring.key_service().wrap(inner, _context(organisation_id, recording_id)),
        public=public,
        private_wrapped=_encrypt(
            _sub(secret, "private half"),
            private.private_bytes_raw(),
            _bound(recording_id, "private half"),
        ),
    )
    row.save(force_insert=True)
    return public


def private_half(recording_id: UUID) -> X25519PrivateKey:
    """What opens the recording's segments. Raises ``KeyDestroyed``."""
    row, secret = _opened(recording_id)
    wrapped = bytes(row.private_wrapped)
    if not wrapped:
        raise KeyDestroyed("the private half was destroyed when the recording was stored")
    RecordingKey.objects.filter(pk=row.pk).update(private_uses=F("private_uses") + 1)
    raw = _decrypt(_sub(secret, "private half"), wrapped, _bound(recording_id, "private half"))
    return X25519PrivateKey.from_private_bytes(raw)


def make_data_key(recording_id: UUID, object_id: UUID) -> bytes:
    """The data key of a stored object, made when it is asked for first; 32 bytes.

    Asked again before the object is stored, it is the same one: sealing that was interrupted begins
    anew, and nothing that was made with it before is ever kept. Raises ``KeyDestroyed``.
    """
    row, secret = _opened(recording_id)
    known = DataKey.objects.filter(object_id=object_id).first()
    if known is not None:
        return _data_key(known, recording_id, secret)
    data_key = secrets.token_bytes(_KEY_BYTES)
    DataKey.objects.create(
        object_id=object_id,
        organisation_id=row.organisation_id,
        recording=row,
        wrapped=_encrypt(_sub(secret, "data keys"), data_key, _bound(recording_id, str(object_id))),
    )
    return data_key


def data_key(recording_id: UUID, object_id: UUID) -> bytes:
    """What opens a stored object, for one act of reading, which is counted. ``KeyDestroyed``."""
    _, secret = _opened(recording_id)
    row = DataKey.objects.filter(object_id=object_id, recording_id=recording_id).first()
    if row is None:
        raise KeyDestroyed("this object has no key")
    DataKey.objects.filter(pk=row.pk).update(uses=F("uses") + 1)
    return _data_key(row, recording_id, secret)


def destroy_private_half(recording_id: UUID) -> None:
    """The recording is stored: its segments shall open for nobody any more. May be repeated."""
    RecordingKey.objects.filter(pk=recording_id, private_destroyed_at__isnull=True).update(
        private_wrapped=b"", private_destroyed_at=Now()
    )


def shred(recording_id: UUID) -> bool:
    """End the recording: no wrap of it is left. True when this call did it.

    Expects the transaction in which holds were looked at. Copies of the row in backups end with
    the master key's generation.
    """
    DataKey.objects.filter(recording_id=recording_id).update(wrapped=b"")
    return bool(
        RecordingKey.objects.filter(pk=recording_id, shredded_at__isnull=True).update(
            wrapped=b"", private_wrapped=b"", shredded_at=Now()
        )
    )


def shredded_at(recording_id: UUID) -> datetime | None:
    """When its keys were destroyed; None while they are there, or never were."""
    return (
        RecordingKey.objects.filter(pk=recording_id).values_list("shredded_at", flat=True).first()
    )


def is_shredded(recording_id: UUID) -> bool:
    return RecordingKey.objects.filter(pk=recording_id, shredded_at__isnull=False).exists()


def _opened(recording_id: UUID) -> tuple[RecordingKey, bytes]:
    row = RecordingKey.objects.filter(pk=recording_id).first()
    if row is None or row.shredded_at is not None:
        raise KeyDestroyed("the recording's key is gone")
    inner = keyring.key_service().unwrap(
        bytes(row.wrapped), _context(row.organisation_id, recording_id)
    )
    outer = keyring.derived(row.organisation_key_id, "recording")
    return row, _decrypt(outer, inner, _bound(recording_id, "key"))


def _data_key(row: DataKey, recording_id: UUID, secret: bytes) -> bytes:
    return _decrypt(
        _sub(secret, "data keys"), bytes(row.wrapped), _bound(recording_id, str(row.object_id))
    )


def _sub(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose: a recording's key is never used itself."""
    info = b"consilium/1/recording/" + purpose.encode()
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=info).derive(secret)


def _encrypt(key: bytes, secret: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, bound)


def _decrypt(key: bytes, wrapped: bytes, bound: bytes) -> bytes:
    """Raises ``WrapRefused`` for a wrap that was changed or stands in another's place."""
    try:
        return AESGCM(key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise WrapRefused("the wrap was changed or belongs elsewhere") from None


def _context(organisation_id: UUID, recording_id: UUID) -> dict[str, str]:
    return {"organisation": str(organisation_id), "recording": str(recording_id)}


def _bound(recording_id: UUID, what: str) -> bytes:
    return f"consilium/1/recording\0{recording_id.hex}\0{what}".encode()
