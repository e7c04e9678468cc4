"""One segment: the clear header, and HPKE to the recording's public key. FORMAT.md section 2.

Sealing needs the public key alone. ``describe`` needs none: it is what the platform asks before it
puts a segment on the roll.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from foundation.sealing.errors import (
    NotASegment,
    SegmentMalformed,
    SegmentTrailingBytes,
    SegmentTruncated,
    SegmentUnopened,
    SuiteUnsupported,
    VersionUnsupported,
    Where,
)

MAGIC = b"CSLM-SEG"
VERSION = 1
SUITE = 1
LAST = 0x0001
#: ``previous`` of the first segment of a run.
NOTHING_BEFORE = bytes(32)

HEADER_BYTES = 116
SEALED_LEAST_BYTES = 73
SEALED_MOST_BYTES = 16_777_264
#: Whoever fetches a segment takes no more than this and one byte.
SEGMENT_MOST_BYTES = HEADER_BYTES + SEALED_MOST_BYTES

#: What HPKE adds: the encapsulated key and a tag.
_HPKE_BYTES = 48
_LABEL = b"consilium/segment/1\0"
_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FORM = struct.Struct(">8sBBHI16s16s16s32s16sI")


def key_id(public_key: bytes) -> bytes:
    """By which 16 bytes a header names the recording's public key (32 bytes)."""
    return hashlib.sha256(public_key).digest()[:16]


def digest(segment: bytes) -> bytes:
    """What the roll and the next segment know a whole segment by."""
    return hashlib.sha256(segment).digest()


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What stands in clear before a sealed segment."""

    organisation: UUID
    recording: UUID
    run: UUID
    sequence: int
    last: bool
    previous: bytes
    key: bytes
    sealed_bytes: int

    def pack(self) -> bytes:
        return _FORM.pack(
            MAGIC,
            VERSION,
            SUITE,
            LAST if self.last else 0,
            self.sequence,
            self.organisation.bytes,
            self.recording.bytes,
            self.run.bytes,
            self.previous,
            self.key,
            self.sealed_bytes,
        )

    @classmethod
    def unpack(cls, header: bytes) -> Self:
        """Of 116 bytes that ``describe`` has checked."""
        _, _, _, flags, sequence, organisation, recording, run, previous, key, sealed = (
            _FORM.unpack(header)
        )
        return cls(
            UUID(bytes=organisation),
            UUID(bytes=recording),
            UUID(bytes=run),
            sequence,
            flags == LAST,
            previous,
            key,
            sealed,
        )


def describe(segment: bytes, where: Where | None = None) -> SegmentHeader:
    """The header of a whole segment, after the checks that need no key and no roll (2 to 9).

    ``where`` is put into errors. Whether it is the right recording, run and number is for the
    caller to ask.
    """
    if len(segment) < len(MAGIC) + 1:
        raise SegmentTruncated(where)
    if segment[:8] != MAGIC:
        raise NotASegment(where)
    if segment[8] != VERSION:
        raise VersionUnsupported(where)
    if len(segment) < HEADER_BYTES:
        raise SegmentTruncated(where)
    if segment[9] != SUITE:
        raise SuiteUnsupported(where)
    flags = int.from_bytes(segment[10:12], "big")
    sealed_bytes = int.from_bytes(segment[112:116], "big")
    if flags & ~LAST or not SEALED_LEAST_BYTES <= sealed_bytes <= SEALED_MOST_BYTES:
        raise SegmentMalformed(where)
    if len(segment) < HEADER_BYTES + sealed_bytes:
        raise SegmentTruncated(where)
    if len(segment) > HEADER_BYTES + sealed_bytes:
        raise SegmentTrailingBytes(where)
    return SegmentHeader.unpack(segment[:HEADER_BYTES])


def seal_segment(
    plaintext: bytes,
    public_key: bytes,
    *,
    organisation: UUID,
    recording: UUID,
    run: UUID,
    sequence: int,
    previous: bytes,
    last: bool,
) -> bytes:
    """The whole segment. The ephemeral key is forgotten: the caller can't open it again."""
    sealed_bytes = len(plaintext) + _HPKE_BYTES
    if not SEALED_LEAST_BYTES <= sealed_bytes <= SEALED_MOST_BYTES:
        raise ValueError("a segment's plaintext has no length that is allowed")
    if not 0 <= sequence < 1 << 32:
        raise ValueError("a run has no more numbers")
    key = key_id(public_key)
    header = SegmentHeader(
        organisation, recording, run, sequence, last, previous, key, sealed_bytes
    ).pack()
    to = X25519PublicKey.from_public_bytes(public_key)
    return header + _HPKE.encrypt(plaintext, to, _LABEL + header)


def open_segment(
    segment: bytes, private_key: X25519PrivateKey, where: Where | None = None
) -> bytes:
    """The plaintext of a segment that ``describe`` found sound; otherwise ``SegmentUnopened``."""
    header, sealed = segment[:HEADER_BYTES], memoryview(segment)[HEADER_BYTES:]
    try:
        return _HPKE.decrypt(sealed, private_key, _LABEL + header)
    except (InvalidTag, ValueError):  # ValueError: an encapsulated key of low order
        raise SegmentUnopened(where) from None
