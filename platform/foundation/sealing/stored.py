"""The stored object: one film under a data key of its own. FORMAT.md section 3.

``ObjectWriter`` takes the film as a stream, by Cobblestone-256. ``ObjectReader`` gives any part of
it, chunk by chunk with AES-GCM, because players seek. Both hold about a mebibyte, however long the
film is. Chunks are given out only after their tag was checked, and a part says nothing of another:
``verify`` alone says that a whole object is sound.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from foundation.sealing.errors import (
    ConsentMismatch,
    NotAnObject,
    ObjectFromAnotherRecording,
    ObjectMalformed,
    ObjectMisplaced,
    ObjectReplaced,
    ObjectTampered,
    ObjectTrailingBytes,
    ObjectTruncated,
    ProtectionMismatch,
    RangeOutside,
    SuiteUnsupported,
    VersionUnsupported,
    WrongKey,
)
from foundation.sealing.records import Protection

MAGIC = b"CSLM-OBJ"
VERSION = 1
SUITE = 1
WEBM = 1

HEADER_BYTES = 100
SALT_BYTES = 24
#: Where the first chunk begins: after header, salt and commitment.
HEAD_BYTES = 156
CHUNK_BYTES = 16_384
TAG_BYTES = 16
PLAINTEXT_MOST_BYTES = 1_099_511_627_776
DATA_KEY_BYTES = 32

#: So many chunks are fetched at once: a mebibyte, so that a long film takes few requests.
_CHUNKS_AT_ONCE = 64
_LABEL = b"consilium/object/1\0"
_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
_FORM = struct.Struct(">8sBBBB16s16s16s32sQ")

#: (from, to): those bytes of the stored object; fewer, or none, if it ends before.
Fetch = Callable[[int, int], bytes]


def object_bytes(plaintext_bytes: int) -> int:
    """How long the stored object of a film is."""
    return HEAD_BYTES + plaintext_bytes + TAG_BYTES * (plaintext_bytes // CHUNK_BYTES + 1)


def generate_data_key() -> bytes:
    """A fresh data key, for one object and no other."""
    return Cobblestone256Encryptor.generate_key()


@dataclass(frozen=True, slots=True)
class ObjectHeader:
    """What stands in clear before a film and is bound into its keys."""

    organisation: UUID
    recording: UUID
    object: UUID
    consent_digest: bytes
    protection: Protection
    plaintext_bytes: int

    def __post_init__(self) -> None:
        if len(self.consent_digest) != 32:
            raise ValueError("a consent digest has 32 bytes")
        if not 1 <= self.plaintext_bytes <= PLAINTEXT_MOST_BYTES:
            raise ValueError("a film has no length that is allowed")
        Protection(self.protection)

    def pack(self) -> bytes:
        return _FORM.pack(
            MAGIC,
            VERSION,
            SUITE,
            WEBM,
            self.protection,
            self.organisation.bytes,
            self.recording.bytes,
            self.object.bytes,
            self.consent_digest,
            self.plaintext_bytes,
        )

    @classmethod
    def unpack(cls, header: bytes) -> Self:
        """``ValueError``: protection or length are not allowed."""
        _, _, _, _, protection, organisation, recording, name, consents, length = _FORM.unpack(
            header
        )
        return cls(
            UUID(bytes=organisation),
            UUID(bytes=recording),
            UUID(bytes=name),
            consents,
            Protection(protection),
            length,
        )


class ObjectWriter:
    """Encrypts one film: ``begin`` once, ``write`` as often as needed, ``finish`` once.

    Each gives bytes to store, in that order. When it has finished, ``commitment`` and ``sha256``
    are what the manifest says of the object. Its length must be known before: it is in the header.
    """

    def __init__(self, header: ObjectHeader, data_key: bytes) -> None:
        self.header = header
        packed = header.pack()
        self._encryptor = Cobblestone256Encryptor(data_key, _LABEL + packed)
        self._digest = hashlib.sha256()
        self._left = header.plaintext_bytes
        self._head = packed + self._encryptor.update(b"")
        self.commitment = self._head[-32:]

    def begin(self) -> bytes:
        """Header, salt and commitment: 156 bytes."""
        head, self._head = self._head, b""
        if not head:
            raise ValueError("it has begun already")
        return self._counted(head)

    def write(self, piece: bytes) -> bytes:
        """What became of the film up to here and was not given out yet; may be empty.

        ``ValueError``: the film is longer than the header says. Throw away what was stored.
        """
        if self._head:
            raise ValueError("it has not begun")
        if len(piece) > self._left:
            raise ValueError("the film is longer than its header says")
        self._left -= len(piece)
        return self._counted(self._encryptor.update(piece))

    def finish(self) -> bytes:
        """The end. ``ValueError``: the film is shorter than the header says."""
        if self._left:
            raise ValueError("the film is shorter than its header says")
        return self._counted(self._encryptor.finalize())

    @property
    def sha256(self) -> bytes:
        """The digest of all that was given out so far; of the whole object, after ``finish``."""
        return self._digest.digest()

    def _counted(self, stored: bytes) -> bytes:
        self._digest.update(stored)
        return stored


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which object is read: what a verified manifest says of it."""

    organisation: UUID
    recording: UUID
    object: UUID
    consent_digest: bytes
    protection: Protection
    key_commitment: bytes


class ObjectReader:
    """An object of which everything but its chunks was checked, when it is made.

    Without a data key only ``digest`` can be had: that is checks 1 to 9. Raises what FORMAT.md
    names, from the constructor and from every call.
    """

    def __init__(self, wanted: Wanted, fetch: Fetch, data_key: bytes | None = None) -> None:
        self.where: dict[str, str | int] = {"object": str(wanted.object)}
        self._fetch = fetch
        self._head = fetch(0, HEAD_BYTES)[:HEAD_BYTES]
        self.header = self._checked_header(wanted)
        self.bytes = object_bytes(self.header.plaintext_bytes)
        # One byte before the end that the header promises, and one after it.
        ending = len(fetch(self.bytes - 1, self.bytes + 1))
        if ending < 1:
            raise ObjectTruncated(self.where)
        if ending > 1:
            raise ObjectTrailingBytes(self.where)
        salt, commitment = self._head[HEADER_BYTES:-32], self._head[-32:]
        if not hmac.compare_digest(commitment, wanted.key_commitment):
            raise ObjectReplaced(self.where)
        self._key: AESGCM | None = None
        self._base_nonce = 0
        if data_key is not None:
            info = _INFO + salt + _LABEL + self._head[:HEADER_BYTES]
            derived = HKDFExpand(hashes.SHA512(), 76, info).derive(data_key)
            if not hmac.compare_digest(commitment, derived[44:]):
                raise WrongKey(self.where)
            self._key = AESGCM(derived[:32])
            self._base_nonce = int.from_bytes(derived[32:44], "big")

    def _checked_header(self, wanted: Wanted) -> ObjectHeader:
        head, where = self._head, self.where
        if len(head) < len(MAGIC) + 1:
            raise ObjectTruncated(where)
        if head[:8] != MAGIC:
            raise NotAnObject(where)
        if head[8] != VERSION:
            raise VersionUnsupported(where)
        if len(head) < HEAD_BYTES:
            raise ObjectTruncated(where)
        if head[9] != SUITE:
            raise SuiteUnsupported(where)
        if head[10] != WEBM:
            raise ObjectMalformed(where)
        try:
            header = ObjectHeader.unpack(head[:HEADER_BYTES])
        except ValueError:
            raise ObjectMalformed(where) from None
        if (header.organisation, header.recording) != (wanted.organisation, wanted.recording):
            raise ObjectFromAnotherRecording(where)
        if header.object != wanted.object:
            raise ObjectMisplaced(where)
        if header.consent_digest != wanted.consent_digest:
            raise ConsentMismatch(where)
        if header.protection is not wanted.protection:
            raise ProtectionMismatch(where)
        return header

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Bytes ``start`` to ``end`` of the film, in pieces. ``RangeOutside`` at once."""
        if not 0 <= start < end <= self.header.plaintext_bytes:
            raise RangeOutside(self.where)
        return self._part(self._the_key(), start, end)

    def whole(self, give: Callable[[bytes], None]) -> bytes:
        """Reads to the end, opens every chunk, and gives the digest of the stored object.

        ``give`` gets the film in pieces. Only who came to the end knows that all of it is sound:
        keep nothing of it if this raises.
        """
        key = self._the_key()
        read = hashlib.sha256(self._head)
        for chunk, stored in self._stored(0, self._newest):
            read.update(stored)
            give(self._opened(key, chunk, stored))
        return read.digest()

    def verify(self) -> bytes:
        """As ``whole``, without giving the film to anybody: "stored" may be said afterwards."""
        return self.whole(lambda _: None)

    def digest(self) -> bytes:
        """Reads to the end and gives the digest of the stored object, without opening a chunk."""
        read = hashlib.sha256(self._head)
        for _, stored in self._stored(0, self._newest):
            read.update(stored)
        return read.digest()

    @property
    def _newest(self) -> int:
        """The number of the last chunk, which is shorter than the others and may be empty."""
        return self.header.plaintext_bytes // CHUNK_BYTES

    def _the_key(self) -> AESGCM:
        if self._key is None:
            raise ValueError("without a data key nothing can be opened")
        return self._key

    def _part(self, key: AESGCM, start: int, end: int) -> Iterator[bytes]:
        first, newest = start // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        for chunk, stored in self._stored(first, newest):
            opened = self._opened(key, chunk, stored)
            begins = chunk * CHUNK_BYTES
            yield opened[max(start - begins, 0) : end - begins]

    def _stored(self, first: int, newest: int) -> Iterator[tuple[int, bytes]]:
        """The chunks ``first`` to ``newest`` as they are stored."""
        step = CHUNK_BYTES + TAG_BYTES
        for chunk in range(first, newest + 1, _CHUNKS_AT_ONCE):
            count = min(_CHUNKS_AT_ONCE, newest + 1 - chunk)
            begins = HEAD_BYTES + chunk * step
            ends = min(begins + count * step, self.bytes)
            fetched = self._fetch(begins, ends)[: ends - begins]
            for n in range(count):
                yield chunk + n, fetched[n * step : (n + 1) * step]

    def _opened(self, key: AESGCM, chunk: int, stored: bytes) -> bytes:
        nonce = (self._base_nonce ^ chunk).to_bytes(12, "big")
        try:
            return key.decrypt(nonce, stored, None)
        except InvalidTag:
            raise ObjectTampered({**self.where, "chunk": chunk}) from None
