"""Secrets that go to a person: links, codes to type, one-time codes, seat cookies.

Each is returned once to whoever hands it over; what is stored is its keyed hash.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from vault.sealing import keyed_hash

#: Crockford's base 32: no I, L, O, U, so that it survives being read aloud.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans({"I": "1", "L": "1", "O": "0"})

#: 12 × 5 = 60 bits. The code is a fallback behind a throttled door; the link carries 256 bits.
SHORT_CODE_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Secret:
    """A fresh secret and the hash to store; the repr shows neither."""

    text: str = field(repr=False)
    hashed: str = field(repr=False)


def link_secret() -> Secret:
    text = secrets.token_urlsafe(32)
    return Secret(text, hash_link_secret(text))


def hash_link_secret(text: str) -> str:
    return keyed_hash("invitation", text)


def short_code() -> Secret:
    """Like ``7K3M-Q2XA-9TBD``."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(SHORT_CODE_LENGTH))
    shown = "-".join(letters[i : i + 4] for i in range(0, SHORT_CODE_LENGTH, 4))
    return Secret(shown, hash_short_code(shown))


def hash_short_code(typed: str) -> str:
    """The hash of a code as people type it: any case, any spacing, lookalikes forgiven."""
    letters = "".join(c for c in typed.upper() if c.isalnum()).translate(_LOOKALIKES)
    return keyed_hash("short-code", letters)


def one_time_code(seat_id: object) -> Secret:
    """Six digits, hashed together with the seat they are for."""
    text = f"{secrets.randbelow(1_000_000):06d}"
    return Secret(text, hash_one_time_code(seat_id, text))


def hash_one_time_code(seat_id: object, typed: str) -> str:
    digits = "".join(c for c in typed if c.isdigit())
    return keyed_hash("one-time-code", f"{seat_id}/{digits}")


def seat_secret() -> Secret:
    text = secrets.token_urlsafe(32)
    return Secret(text, hash_seat_secret(text))


def hash_seat_secret(text: str) -> str:
    return keyed_hash("seat", text)
