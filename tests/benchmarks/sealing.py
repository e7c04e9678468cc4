"""How fast films are sealed, beside plain AES-256-GCM of the same OpenSSL over the same bytes.

Sealing makes chunks of 16 KiB, each with a tag of its own, and the digest of all that is stored;
the plain one is a single message with neither. Best of several, because whatever else a machine
does only takes away.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM

from foundation.sealing.records import Protection
from foundation.sealing.stored import ObjectHeader, ObjectWriter, generate_data_key
from tests.benchmarks.figures import Figure

#: As films come: pieces of about a megabyte.
_PIECE = 1_000_000
_PIECES = 200
_TIMES = 7


def measure(folder: Path) -> list[Figure]:
    piece = os.urandom(_PIECE)
    sealed: list[float] = []
    plain: list[float] = []
    for _ in range(_TIMES):
        sealed.append(_mb_s(lambda: _seal(piece)))
        plain.append(_mb_s(lambda: _encrypt(piece)))
    told = f"(n={_TIMES}, {min(sealed):.0f} to {max(sealed):.0f})"
    return [Figure("sealing.mb_s", max(sealed), "MB/s", max(plain), told)]


def _mb_s(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return _PIECE * _PIECES / 1e6 / (time.process_time() - began)


def _seal(piece: bytes) -> None:
    header = ObjectHeader(uuid4(), uuid4(), uuid4(), bytes(32), Protection.NONE, _PIECE * _PIECES)
    writer = ObjectWriter(header, generate_data_key())
    writer.begin()
    for _ in range(_PIECES):
        writer.write(piece)
    writer.finish()


def _encrypt(piece: bytes) -> None:
    encryptor = Cipher(AES256(os.urandom(32)), GCM(os.urandom(12))).encryptor()
    for _ in range(_PIECES):
        encryptor.update(piece)
    encryptor.finalize()
