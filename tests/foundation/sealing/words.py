"""Records in the words of the vectors, and a cast of ids and keys for all tests of sealing."""

from __future__ import annotations

import dataclasses
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from foundation.sealing import records

HOSPITAL = UUID("0b0e4f5a-5d0c-4d5a-9f0e-000000000001")
RECORDING = UUID("0b0e4f5a-5d0c-4d5a-9f0e-000000000002")
FILM = UUID("0b0e4f5a-5d0c-4d5a-9f0e-000000000003")
PLACE = UUID("0b0e4f5a-5d0c-4d5a-9f0e-000000000004")

RECORDING_KEY = X25519PrivateKey.generate()
PRIVATE = RECORDING_KEY.private_bytes_raw()
PUBLIC = RECORDING_KEY.public_key().public_bytes_raw()

OPENING = records.Opening(0, 1_795_262_400_000_000, 1_000_000)
CLOSING = records.Closing(records.Why.STOPPED)
SOUND = records.Source(0, PLACE, records.Kind.MICROPHONE, records.Codec.OPUS)
PICTURE = records.Source(1, PLACE, records.Kind.CAMERA, records.Codec.VP8)
JOINED = records.Event(0, records.What.JOINED, PLACE)


def picture(payload: bytes, **changed) -> records.Frame:
    fields = {"stream": 1, "key": True, "rtp": 0, "arrival_us": 0, "sequence": 0, "packets": 1}
    return records.Frame(**{**fields, **changed}, payload=payload)


def as_said(record):
    """A record as the vectors and the independent reader say it."""
    said = {"type": type(record).__name__.lower()}
    said |= {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    if isinstance(record, records.Source):
        said["rate"] = record.rate
    if isinstance(record, records.Frame):
        said["flags"] = int(said.pop("key"))
        said["payload"] = record.payload.hex()
    return {k: str(v) if isinstance(v, UUID) else v for k, v in said.items()}
