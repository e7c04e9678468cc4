"""A key service in one file, for one machine: AES-256-GCM under a master key read at start.

The file is JSON, mode 0600: ``{"version": 1, "active": id, "keys": {id: base64 of 32 bytes}}``.
A wrap is ``0x01 | id length | id | 12 byte nonce | ciphertext and tag``; the associated data are
the master key's id and the context as sorted JSON. Older keys stay for unwrapping after rotation.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from foundation.keys import Context, KeyServiceError, WrapRefused

_FORMAT = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32


class LocalKeyFile:
    """See the module. ``KeyServiceError``: the file is missing, open to others or wrong."""

    def __init__(self, path: Path) -> None:
        try:
            if path.is_dir():
                raise KeyServiceError(f"the key file {path} can't be used: it is a directory")
            if path.stat().st_mode & 0o077:
                raise KeyServiceError(f"{path} must be readable by its owner only (chmod 600)")
            content = json.loads(path.read_text())
            self._keys = {
                name: base64.b64decode(key, validate=True) for name, key in content["keys"].items()
            }
            self._active: str = content["active"]
            short = [name for name, key in self._keys.items() if len(key) != _KEY_BYTES]
        except (
            OSError,
            ValueError,
            LookupError,
            AttributeError,
            TypeError,
            RecursionError,
        ) as error:
            # The kind of the error only: its text may repeat what the file holds.
            kind = type(error).__name__
            raise KeyServiceError(f"the key file {path} can't be used: {kind}") from None
        if short:
            raise KeyServiceError(f"the key file {path} holds a key that is not 256 bit long")
        if content.get("version") != _FORMAT or self._active not in list(self._keys):
            raise KeyServiceError(f"the key file {path} is of another version or has no active key")

    def wrap(self, secret: bytes, context: Context) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        name = self._active.encode()
        sealed = AESGCM(self._keys[self._active]).encrypt(nonce, secret, _bound(name, context))
        return bytes([_FORMAT, len(name)]) + name + nonce + sealed

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        if len(wrapped) < 2 or wrapped[0] != _FORMAT:
            raise WrapRefused("not a wrap of this key service")
        end = 2 + wrapped[1]
        name, nonce, sealed = wrapped[2:end], wrapped[end : end + _NONCE_BYTES], wrapped[end + 12 :]
        key = self._keys.get(name.decode("ascii", "replace"))
        if key is None:
            raise WrapRefused("the master key of this wrap is not in the key file")
        try:
            return AESGCM(key).decrypt(nonce, sealed, _bound(name, context))
        except (InvalidTag, ValueError) as error:
            raise WrapRefused("the wrap was changed or belongs elsewhere") from error

    def __repr__(self) -> str:
        return f"LocalKeyFile(active={self._active!r})"


def create(path: Path) -> bool:
    """Make the key file at ``path`` unless there is one; true when it was made."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"local-{secrets.token_hex(4)}"
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    content = json.dumps({"version": _FORMAT, "active": name, "keys": {name: key}}, indent=1)
    # Written beside and linked into place: two starting processes agree on one file, and a crash
    # leaves either none or a whole one.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    return True


def _bound(name: bytes, context: Context) -> bytes:
    return name + b"\0" + json.dumps(context, sort_keys=True, separators=(",", ":")).encode()
