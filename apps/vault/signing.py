"""Ed25519 signing keys by purpose, and the JSON Web Tokens made with them (RFC 7519, RFC 8037)."""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from vault import sealing
from vault.models import SigningKey

_LABEL = "vault.signingkey.private_sealed"
_ALGORITHM = "Ed25519"


class TokenRefused(ValueError):
    """Not signed by us for this purpose, changed, or of another algorithm."""


def make_signing_key(purpose: SigningKey.Purpose) -> str:
    """Make the key that signs for ``purpose`` from now on; returns its kid."""
    kid = f"{purpose.value}-{secrets.token_hex(6)}"
    pair = OKPKey.generate_key("Ed25519")
    exported: dict[str, Any] = dict(pair.as_dict(private=True))
    SigningKey.objects.create(
        kid=kid,
        purpose=purpose,
        public=exported["x"],
        private_sealed=sealing.seal(None, _LABEL, exported["d"]),
    )
    forget_cached_signers()
    return kid


def sign(purpose: SigningKey.Purpose, claims: dict[str, Any]) -> str:
    """A compact JWT of ``claims`` under the newest key of ``purpose``."""
    kid, key = _signer(purpose)
    return jwt.encode({"alg": _ALGORITHM, "kid": kid}, claims, key, algorithms=[_ALGORITHM])


def sign_bytes(purpose: SigningKey.Purpose, data: bytes) -> tuple[str, bytes]:
    """(kid, Ed25519 signature of 64 bytes) of ``data``, which names its own kind.

    For what has a format of its own; ``purpose`` must be one that signs no tokens.
    """
    kid, key = _signer(purpose)
    private = key.private_key
    assert isinstance(private, Ed25519PrivateKey)
    return kid, private.sign(data)


def verify(purpose: SigningKey.Purpose, token: str) -> dict[str, Any]:
    """The claims of ``token``. Raises ``TokenRefused``; times and audience are the caller's."""
    try:
        decoded = jwt.decode(token, _verifiers(purpose), algorithms=[_ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRefused(type(error).__name__) from None
    return dict(decoded.claims)


def public_keys(purpose: SigningKey.Purpose) -> list[tuple[str, str]]:
    """(kid, raw public key as base64url) of every key that still verifies."""
    rows = SigningKey.objects.filter(purpose=purpose).order_by("-created_at")
    return [(row.kid, row.public) for row in rows]


@lru_cache(maxsize=8)
def _signer(purpose: SigningKey.Purpose) -> tuple[str, OKPKey]:
    row = SigningKey.objects.filter(purpose=purpose).order_by("-created_at").first()
    if row is None:
        raise LookupError(f"no {purpose.value} key; run `manage.py prepare`")
    private = sealing.open_sealed(_LABEL, row.private_sealed)
    return row.kid, OKPKey.import_key(
        {"kty": "OKP", "crv": "Ed25519", "x": row.public, "d": private, "kid": row.kid}
    )


@lru_cache(maxsize=8)
def _verifiers(purpose: SigningKey.Purpose) -> KeySet:
    return KeySet(
        [
            OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid})
            for kid, x in public_keys(purpose)
        ]
    )


def forget_cached_signers() -> None:
    _signer.cache_clear()
    _verifiers.cache_clear()
