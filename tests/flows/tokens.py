"""Tokens that the platform did not sign, or should not have been signed that way."""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey


def assertion(key: Ed25519PrivateKey, claims: dict[str, object]) -> str:
    exported = OKPKey.import_key(
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": base64url(key.public_key().public_bytes_raw()),
            "d": base64url(key.private_bytes_raw()),
        }
    )
    return jwt.encode({"alg": "Ed25519"}, claims, exported, algorithms=["Ed25519"])


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(claims: dict[str, object]) -> str:
    head = base64url(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    return f"{head}.{base64url(json.dumps(claims).encode())}."


def hmac_signed(claims: dict[str, object], secret: str) -> str:
    """By HS256 under a public key: the oldest trick against JWT."""
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret), algorithms=["HS256"])
