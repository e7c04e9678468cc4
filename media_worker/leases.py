"""Media leases: signed permissions of the platform to hold one participant for a time.

A lease is a JWT (RFC 7519) signed by Ed25519 (RFC 9864) with a key that the platform announced in
``welcome``. The algorithm is pinned, the key must be known, and the lease must name this worker.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from foundation.wire.worker import LEASE_AUDIENCE, LeaseClaims, LeaseKey
from media_worker.clock import Clock

#: A lease may be signed this much ahead of our idea of the platform's time, in seconds.
CLOCK_SKEW_SECONDS = 30

#: Old and new key during a rotation, and some to spare.
MAX_KEYS = 8


class LeaseRefused(ValueError):
    """A lease that counts for nothing; the reason never repeats what was in it."""


class LeaseBook:
    """The platform's lease keys as last announced, and the verdict on leases."""

    def __init__(self, worker: UUID, clock: Clock) -> None:
        self._worker = worker
        self._clock = clock
        self._keys: dict[str, OKPKey] = {}

    def replace_keys(self, keys: Iterable[LeaseKey]) -> None:
        """Forgets all keys and takes ``keys``. Raises LeaseRefused for one that is no key."""
        taken: dict[str, OKPKey] = {}
        for key in list(keys)[:MAX_KEYS]:
            try:
                raw = base64.urlsafe_b64decode(key.x + "=" * (-len(key.x) % 4))
            except (ValueError, binascii.Error):
                raise LeaseRefused("key") from None
            if len(raw) != 32:
                raise LeaseRefused("key")
            x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
            taken[key.kid] = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
        self._keys = taken

    def verify(self, token: str) -> LeaseClaims:
        """The claims of ``token``. Raises LeaseRefused, with a reason fit for a log line."""
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
        except (JoseError, ValueError, UnicodeError):
            raise LeaseRefused("malformed") from None
        if header.get("alg") != "Ed25519":
            raise LeaseRefused("algorithm")
        key = self._keys.get(str(header.get("kid")))
        if key is None:
            raise LeaseRefused("unknown key")
        try:
            claims = LeaseClaims.model_validate(
                jwt.decode(token, key, algorithms=["Ed25519"]).claims
            )
        except JoseError:
            raise LeaseRefused("signature") from None
        except (ValidationError, ValueError):
            raise LeaseRefused("claims") from None
        now = self._clock.now()
        if claims.aud != LEASE_AUDIENCE:
            raise LeaseRefused("audience")
        if claims.worker != self._worker:
            raise LeaseRefused("another worker")
        if claims.exp <= now:
            raise LeaseRefused("expired")
        if claims.iat > now + CLOCK_SKEW_SECONDS:
            raise LeaseRefused("not yet valid")
        return claims

    def seconds_left(self, claims: LeaseClaims) -> float:
        """How long a lease still holds; 0 when it has ended."""
        return max(0.0, claims.exp - self._clock.now())
