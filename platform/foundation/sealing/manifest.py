"""The manifest: what was stored of a recording, under which consents, signed. FORMAT.md section 4.

What is stored and passed on are the bytes, never what was parsed: members that this version does
not know are signed too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from foundation.sealing.canonical import canonical, parsed
from foundation.sealing.errors import (
    ConsentMismatch,
    ManifestCarriesKeys,
    ManifestCriticalUnknown,
    ManifestForged,
    ManifestFromAnotherRecording,
    ManifestKeyRetired,
    ManifestKeyUnknown,
    ManifestMalformed,
    ManifestNotCanonical,
    Refused,
    VersionUnsupported,
)
from foundation.sealing.shape import (
    MEMBERS,
    Attestation,
    Consent,
    Manifest,
    is_signature,
    is_time,
)
from foundation.sealing.stored import object_bytes

FORMAT = "consilium/manifest"
VERSION = 1

_LABEL = b"consilium/manifest/1\0"
_CONSENTS_LABEL = b"consilium/consents/1\0"


@dataclass(frozen=True, slots=True)
class ManifestKey:
    """A public key (Ed25519, 32 bytes) that signs manifests, or did until ``retired_at``."""

    public: bytes
    retired_at: str | None = None

    def __post_init__(self) -> None:
        if self.retired_at is not None and not is_time(self.retired_at):
            raise ValueError("a time is YYYY-MM-DDThh:mm:ssZ")


def consent_digest(consents: list[Consent], attestations: list[Attestation]) -> bytes:
    """What binds an object and a manifest to the consents they were made under."""
    agreed = {"attestations": attestations, "consents": consents}
    return hashlib.sha256(_CONSENTS_LABEL + canonical(agreed)).digest()


def sign(manifest: Manifest, key_id: str, private_key: bytes) -> bytes:
    """The signed bytes. ``ValueError``: a reader would refuse them; it names why and where."""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    public = key.public_key().public_bytes_raw()
    return sign_by(manifest, lambda said: (key_id, key.sign(said)), {key_id: public})


def sign_by(
    manifest: Manifest,
    signer: Callable[[bytes], tuple[str, bytes]],
    public_keys: Mapping[str, bytes],
) -> bytes:
    """As ``sign``, where ``signer`` keeps the key: it gives the key's id and the signature."""
    key_id, signature = signer(_LABEL + canonical(manifest))
    made = canonical({"key": key_id, "manifest": manifest, "signature": signature.hex()})
    keys = {name: ManifestKey(public) for name, public in public_keys.items()}
    try:
        said = _verified(made, keys)
    except Refused as refused:
        raise ValueError(f"a manifest that would be refused: {refused}") from None
    if said != manifest:
        raise ValueError("a manifest that would be read as another")
    return made


def read(
    data: bytes, organisation: UUID, recording: UUID, keys: Mapping[str, ManifestKey]
) -> Manifest:
    """The manifest of this recording, once all of section 4 was checked; raises what it names."""
    return _verified(data, keys, organisation=str(organisation), recording=str(recording))


def _verified(data: bytes, keys: Mapping[str, ManifestKey], **asked_for: str) -> Manifest:
    key_id, said, signature = _envelope(data)
    if said.get("format") != FORMAT:
        raise ManifestMalformed({"member": "format"})
    if said.get("version") != VERSION or isinstance(said["version"], bool):
        raise VersionUnsupported({"member": "version"})
    if key_id not in keys:
        raise ManifestKeyUnknown({"member": "key"})
    key = keys[key_id]
    _check_signature(key, said, signature)
    critical = said.get("critical")
    if isinstance(critical, list) and critical:
        # This version knows the members of the table, and those are never named there.
        raise ManifestCriticalUnknown({"member": "critical"})
    for name, is_right in MEMBERS.items():
        if name not in said or not is_right(said[name]):
            raise ManifestMalformed({"member": name})
    for name in sorted(said):
        if _is_of_a_key(name) or _carries_keys(said[name]):
            raise ManifestCarriesKeys({"member": name})
    manifest = cast("Manifest", said)
    if key.retired_at is not None and manifest["made_at"] > key.retired_at:
        raise ManifestKeyRetired({"member": "made_at"})
    for name, expected in asked_for.items():
        if said[name] != expected:
            raise ManifestFromAnotherRecording({"member": name})
    agreed = consent_digest(manifest["consents"], manifest["attestations"])
    if agreed.hex() != manifest["consent_digest"]:
        raise ConsentMismatch({"member": "consent_digest"})
    listed = {entry["object"] for entry in manifest["objects"]}
    if len(listed) != len(manifest["objects"]) or any(
        entry["bytes"] != object_bytes(entry["plaintext_bytes"]) for entry in manifest["objects"]
    ):
        raise ManifestMalformed({"member": "objects"})
    return manifest


def _envelope(data: bytes) -> tuple[str, dict[str, Any], str]:
    """Key id, manifest and signature as the bytes say them, unverified (checks 1 to 3)."""
    try:
        envelope = parsed(data)
    except ValueError:
        raise ManifestMalformed from None
    match envelope:
        case {"key": str(key_id), "manifest": dict(said), "signature": str(signature)} if (
            len(envelope) == 3
        ):
            if canonical(envelope) != data:
                raise ManifestNotCanonical
            return key_id, said, signature
    raise ManifestMalformed


def _check_signature(key: ManifestKey, said: dict[str, Any], signature: str) -> None:
    try:
        if not is_signature(signature):
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(key.public).verify(
            bytes.fromhex(signature), _LABEL + canonical(said)
        )
    except InvalidSignature:
        raise ManifestForged({"member": "signature"}) from None


def _is_of_a_key(name: str) -> bool:
    return name in {"data_key", "private_key"} or name.startswith("wrap")


def _carries_keys(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_of_a_key(name) or _carries_keys(inner) for name, inner in value.items())
    return isinstance(value, list) and any(_carries_keys(item) for item in value)
