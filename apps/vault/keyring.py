"""Organisation keys: making, finding and deriving from them."""

from __future__ import annotations

import secrets
from functools import lru_cache
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from foundation.keys import Context, KeyService
from foundation.keys.localfile import LocalKeyFile
from vault.models import OrganisationKey


class KeyMissing(LookupError):
    """No such key: the installation was not prepared, or the key was destroyed."""


@lru_cache(maxsize=1)
def key_service() -> KeyService:
    """The configured key service, opened once per process."""
    return LocalKeyFile(settings.KEY_FILE)


def _context(key_id: UUID, organisation_id: UUID | None) -> Context:
    return {"organisation": str(organisation_id or "installation"), "key": str(key_id)}


def make_key(organisation_id: UUID | None) -> UUID:
    """Make and store the active key of an organisation; there must be none yet."""
    key_id = uuid4()
    wrapped = key_service().wrap(secrets.token_bytes(32), _context(key_id, organisation_id))
    OrganisationKey.objects.create(id=key_id, organisation_id=organisation_id, wrapped=wrapped)
    active_key_id.cache_clear()
    return key_id


def has_key(organisation_id: UUID | None) -> bool:
    return OrganisationKey.objects.filter(
        organisation_id=organisation_id, retired_at__isnull=True
    ).exists()


@lru_cache(maxsize=1024)
def active_key_id(organisation_id: UUID | None) -> UUID:
    """The key that seals now. Raises ``KeyMissing``."""
    row = (
        OrganisationKey.objects.filter(organisation_id=organisation_id, retired_at__isnull=True)
        .order_by("-created_at")
        .first()
    )
    if row is None:
        raise KeyMissing("this organisation has no key; run `manage.py prepare`")
    return row.pk


@lru_cache(maxsize=4096)
def derived(key_id: UUID, purpose: str) -> bytes:
    """32 bytes for ``purpose`` from the key ``key_id`` (HKDF-SHA256, RFC 5869)."""
    row = OrganisationKey.objects.filter(pk=key_id).first()
    if row is None:
        raise KeyMissing("the key is not in the vault")
    secret = key_service().unwrap(bytes(row.wrapped), _context(row.pk, row.organisation_id))
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"consilium/1/" + purpose.encode()).derive(
        secret
    )


def forget_cached_keys() -> None:
    """Drop unwrapped keys from this process, e.g. when another database is used."""
    active_key_id.cache_clear()
    derived.cache_clear()
    key_service.cache_clear()
