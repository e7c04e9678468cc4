"""A reader of segments, stored objects and manifests, written from FORMAT.md and nothing else.

It shows that the prose suffices. It shares no line with the product, nor with ``make.py``,
and needs ``cryptography`` and the standard library. It reads whole files from memory; the product
reads streams. ``python reader.py *.json`` says of each vector whether its outcome came true.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand


class Refused(Exception):
    """What was read is not what it should be: a name of FORMAT.md section 7, and where."""

    def __init__(self, name: str, **where: Any) -> None:
        super().__init__(name)
        self.name = name
        self.where = where


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def uuid_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


def uuid_text(raw: bytes) -> str:
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


# ------------------------------------------------------------------------------- 2. the segment

SEGMENT_HEADER = 116
SEALED_LEAST = 73
SEALED_MOST = 16_777_264
RECORDS_MOST = 65_536
SOURCES_MOST = 64
PAYLOAD_MOST = 2_097_152
COVERS_MOST = 10_000_000
EVERY_STREAM = 65_535
LAST = 0x0001

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass
class Wanted:
    """Which recording is read."""

    organisation: bytes
    recording: bytes
    protection: int


def read_segments(
    wanted: Wanted,
    private_key: bytes,
    roll: list[tuple[bytes, list[bytes]]],
    storage: dict[tuple[bytes, int], bytes],
) -> list[dict[str, Any]]:
    """Every run of the roll with its segments' records. Raises ``Refused``."""
    key = X25519PrivateKey.from_private_bytes(private_key)
    runs = []
    for run, digests in roll:
        segments: list[dict[str, Any]] = []
        previous, was_last = bytes(32), False
        for sequence, expected in enumerate(digests):
            where = {"run": uuid_text(run), "sequence": sequence}
            data = storage.get((run, sequence))
            if data is None:
                raise Refused("SegmentMissing", **where)
            header = _place(data, wanted, run, sequence, where)
            if header[96:112] != digest(key.public_key().public_bytes_raw())[:16]:
                raise Refused("WrongKey", **where)
            if digest(data) != expected:
                raise Refused("SegmentTampered", **where)
            if was_last:
                raise Refused("SegmentAfterLast", **where)
            if header[64:96] != previous:
                raise Refused("SegmentChainBroken", **where)
            try:
                plain = SUITE.decrypt(data[SEGMENT_HEADER:], key, b"consilium/segment/1\0" + header)
            except (InvalidTag, ValueError):
                raise Refused("SegmentUnopened", **where) from None
            was_last = bool(header[11] & LAST)
            try:
                records = _records(plain, was_last)
            except _Malformed:
                raise Refused("SegmentMalformed", **where) from None
            for record in records:
                if record["type"] == "source" and record["protection"] != wanted.protection:
                    raise Refused("ProtectionMismatch", **where)
            segments.append({"sequence": sequence, "records": records})
            previous = expected
        runs.append({"run": uuid_text(run), "finished": was_last, "segments": segments})
    known = {run: len(digests) for run, digests in roll}
    for run, sequence in storage:
        if run not in known:
            raise Refused("RunUnknown", run=uuid_text(run))
        if sequence >= known[run]:
            raise Refused("SegmentBeyondRoll", run=uuid_text(run), sequence=sequence)
    return runs


def _place(data: bytes, wanted: Wanted, run: bytes, sequence: int, where: dict[str, Any]) -> bytes:
    """The header, once all that can be checked without a key was checked."""
    if len(data) < 9:
        raise Refused("SegmentTruncated", **where)
    if data[:8] != b"CSLM-SEG":
        raise Refused("NotASegment", **where)
    if data[8] != 1:
        raise Refused("VersionUnsupported", **where)
    if len(data) < SEGMENT_HEADER:
        raise Refused("SegmentTruncated", **where)
    if data[9] != 1:
        raise Refused("SuiteUnsupported", **where)
    sealed = int.from_bytes(data[112:116], "big")
    if int.from_bytes(data[10:12], "big") & ~LAST or not SEALED_LEAST <= sealed <= SEALED_MOST:
        raise Refused("SegmentMalformed", **where)
    if len(data) < SEGMENT_HEADER + sealed:
        raise Refused("SegmentTruncated", **where)
    if len(data) > SEGMENT_HEADER + sealed:
        raise Refused("SegmentTrailingBytes", **where)
    if data[16:48] != wanted.organisation + wanted.recording:
        raise Refused("SegmentFromAnotherRecording", **where)
    if data[48:64] != run:
        raise Refused("SegmentFromAnotherRun", **where)
    found = int.from_bytes(data[12:16], "big")
    if found != sequence:
        raise Refused("SegmentRepeated" if found < sequence else "SegmentMisplaced", **where)
    return data[:SEGMENT_HEADER]


class _Malformed(Exception):
    """The plaintext is not made as section 2 says."""


def _claim(holds: bool) -> None:
    if not holds:
        raise _Malformed


class _Body:
    """Takes fields off a record's body."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        _claim(len(self.data) >= size)
        taken, self.data = self.data[:size], self.data[size:]
        return taken


def _records(plain: bytes, is_last: bool) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    sources: dict[int, dict[str, Any]] = {}
    at = 0
    while at < len(plain):
        _claim(len(plain) - at >= 5 and len(records) < RECORDS_MOST)
        kind, length = plain[at], int.from_bytes(plain[at + 1 : at + 5], "big")
        at += 5
        _claim(length <= len(plain) - at)
        body = _Body(plain[at : at + length])
        at += length
        record = _record(kind, body, sources)
        _claim(not body.data)
        _claim((record["type"] == "opening") == (not records))
        _claim(not records or records[-1]["type"] != "closing")
        records.append(record)
    _claim(bool(records))
    _claim((records[-1]["type"] == "closing") == is_last)
    return records


def _record(kind: int, body: _Body, sources: dict[int, dict[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any]
    if kind == 1:
        record = {
            "type": "opening",
            "clock_us": body.number(8),
            "wall_us": body.number(8),
            "covers_us": body.number(4),
        }
        _claim(record["covers_us"] <= COVERS_MOST)
    elif kind == 2:
        record = {
            "type": "source",
            "stream": body.number(2),
            "place": uuid_text(body.take(16)),
            "kind": body.number(1),
            "codec": body.number(1),
            "rate": body.number(4),
            "protection": body.number(1),
        }
        _claim(record["stream"] != EVERY_STREAM and record["stream"] not in sources)
        as_one = (record["kind"], record["codec"], record["rate"])
        _claim(as_one in {(1, 1, 48_000), (2, 2, 90_000), (3, 2, 90_000)})
        _claim(record["protection"] in {0, 1})
        sources[record["stream"]] = record
        _claim(len(sources) <= SOURCES_MOST)
    elif kind == 3:
        record = {
            "type": "frame",
            "stream": body.number(2),
            "flags": body.number(1),
            "rtp": body.number(4),
            "arrival_us": body.number(8),
            "sequence": body.number(2),
            "packets": body.number(2),
            "payload": body.data.hex(),
        }
        _claim(1 <= len(body.data) <= PAYLOAD_MOST and record["packets"] >= 1)
        body.data = b""
        _claim(record["stream"] in sources and record["flags"] in {0, 1})
        _claim(record["flags"] == 1 or sources[record["stream"]]["codec"] != 1)
    elif kind == 4:
        record = {
            "type": "report",
            "stream": body.number(2),
            "ntp": body.number(8),
            "rtp": body.number(4),
            "arrival_us": body.number(8),
        }
        _claim(record["stream"] in sources)
    elif kind == 5:
        record = {
            "type": "gap",
            "stream": body.number(2),
            "from_us": body.number(8),
            "to_us": body.number(8),
            "reason": body.number(1),
        }
        _claim(record["stream"] in sources or record["stream"] == EVERY_STREAM)
        _claim(record["from_us"] <= record["to_us"] and 1 <= record["reason"] <= 6)
    elif kind == 6:
        record = {
            "type": "event",
            "at_us": body.number(8),
            "what": body.number(1),
            "place": uuid_text(body.take(16)),
        }
        _claim(1 <= record["what"] <= 12)
    else:
        _claim(kind == 7)
        record = {"type": "closing", "why": body.number(1)}
        _claim(1 <= record["why"] <= 6)
    return record


# ------------------------------------------------------------------------- 3. the stored object

OBJECT_HEADER = 100
FIRST_CHUNK = 156
CHUNK = 16_384
TAG = 16
PLAINTEXT_MOST = 1_099_511_627_776


@dataclass
class WantedObject:
    """What a verified manifest says of an object. Without a data key it is not opened."""

    organisation: bytes
    recording: bytes
    object: bytes
    consent_digest: bytes
    protection: int
    key_commitment: bytes
    data_key: bytes | None


def object_size(plaintext_bytes: int) -> int:
    return FIRST_CHUNK + plaintext_bytes + TAG * (plaintext_bytes // CHUNK + 1)


def read_object(
    wanted: WantedObject, data: bytes, part: tuple[int, int] | None = None
) -> bytes | None:
    """The plaintext, or bytes i to j of it; nothing without a data key. Raises ``Refused``."""
    where = {"object": uuid_text(wanted.object)}
    if len(data) < 9:
        raise Refused("ObjectTruncated", **where)
    if data[:8] != b"CSLM-OBJ":
        raise Refused("NotAnObject", **where)
    if data[8] != 1:
        raise Refused("VersionUnsupported", **where)
    if len(data) < FIRST_CHUNK:
        raise Refused("ObjectTruncated", **where)
    if data[9] != 1:
        raise Refused("SuiteUnsupported", **where)
    size = int.from_bytes(data[92:100], "big")
    if data[10] != 1 or data[11] not in {0, 1} or not 1 <= size <= PLAINTEXT_MOST:
        raise Refused("ObjectMalformed", **where)
    if data[12:44] != wanted.organisation + wanted.recording:
        raise Refused("ObjectFromAnotherRecording", **where)
    if data[44:60] != wanted.object:
        raise Refused("ObjectMisplaced", **where)
    if data[60:92] != wanted.consent_digest:
        raise Refused("ConsentMismatch", **where)
    if data[11] != wanted.protection:
        raise Refused("ProtectionMismatch", **where)
    if len(data) < object_size(size):
        raise Refused("ObjectTruncated", **where)
    if len(data) > object_size(size):
        raise Refused("ObjectTrailingBytes", **where)
    salt, commitment = data[100:124], data[124:156]
    if not hmac.compare_digest(commitment, wanted.key_commitment):
        raise Refused("ObjectReplaced", **where)
    if wanted.data_key is None:
        return None
    context = b"consilium/object/1\0" + data[:OBJECT_HEADER]
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + context
    derived = HKDFExpand(hashes.SHA512(), 76, info).derive(wanted.data_key)
    key, base, computed = derived[:32], derived[32:44], derived[44:]
    if not hmac.compare_digest(commitment, computed):
        raise Refused("WrongKey", **where)
    start, end = part if part is not None else (0, size)
    if not 0 <= start < end <= size:
        raise Refused("RangeOutside", **where)
    first = start // CHUNK
    # Whoever reads to the end opens the last chunk too, even if it is empty.
    newest = size // CHUNK if part is None else (end - 1) // CHUNK
    opened = b""
    for k in range(first, newest + 1):
        at = FIRST_CHUNK + k * (CHUNK + TAG)
        nonce = (int.from_bytes(base, "big") ^ k).to_bytes(12, "big")
        try:
            opened += AESGCM(key).decrypt(nonce, data[at : at + CHUNK + TAG], None)
        except InvalidTag:
            raise Refused("ObjectTampered", **where, chunk=k) from None
    return opened[start - first * CHUNK : end - first * CHUNK]


# ------------------------------------------------------------------------------- 4. the manifest

MANIFEST_MOST = 4_194_304
DEPTH_MOST = 16
NUMBER_MOST = 2**53 - 1

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@dataclass
class ManifestKey:
    public: bytes
    retired_at: str | None


def read_manifest(
    organisation: str, recording: str, keys: dict[str, ManifestKey], data: bytes
) -> dict[str, Any]:
    """The verified manifest. Raises ``Refused``."""
    envelope = _parsed(data)
    if not isinstance(envelope, dict) or set(envelope) != {"key", "manifest", "signature"}:
        raise Refused("ManifestMalformed")
    key_id, said, signature = (envelope[name] for name in ("key", "manifest", "signature"))
    if not isinstance(key_id, str) or not isinstance(signature, str) or not isinstance(said, dict):
        raise Refused("ManifestMalformed")
    if canonical(envelope) != data:
        raise Refused("ManifestNotCanonical")
    if said.get("format") != "consilium/manifest":
        raise Refused("ManifestMalformed", member="format")
    if said.get("version") != 1 or isinstance(said["version"], bool):
        raise Refused("VersionUnsupported", member="version")
    if key_id not in keys:
        raise Refused("ManifestKeyUnknown", member="key")
    key = keys[key_id]
    try:
        if not re.fullmatch(r"[0-9a-f]{128}", signature):
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(key.public).verify(
            bytes.fromhex(signature), b"consilium/manifest/1\0" + canonical(said)
        )
    except InvalidSignature:
        raise Refused("ManifestForged", member="signature") from None
    critical = said.get("critical")
    if isinstance(critical, list) and critical:
        # This reader knows no members but those of the table, and those are never named there.
        raise Refused("ManifestCriticalUnknown", member="critical")
    for name, check in _MEMBERS.items():
        if name not in said or not check(said[name]):
            raise Refused("ManifestMalformed", member=name)
    for name in sorted(said):
        if _is_key(name) or _carries_keys(said[name]):
            raise Refused("ManifestCarriesKeys", member=name)
    if key.retired_at is not None and said["made_at"] > key.retired_at:
        raise Refused("ManifestKeyRetired", member="made_at")
    for name, expected in (("organisation", organisation), ("recording", recording)):
        if said[name] != expected:
            raise Refused("ManifestFromAnotherRecording", member=name)
    agreed = {name: said[name] for name in ("attestations", "consents")}
    if digest(b"consilium/consents/1\0" + canonical(agreed)).hex() != said["consent_digest"]:
        raise Refused("ConsentMismatch", member="consent_digest")
    ids = [entry["object"] for entry in said["objects"]]
    sizes = [(entry["bytes"], entry["plaintext_bytes"]) for entry in said["objects"]]
    if len(set(ids)) != len(ids) or any(size != object_size(n) for size, n in sizes):
        raise Refused("ManifestMalformed", member="objects")
    return said


def canonical(value: Any) -> bytes:
    """RFC 8785, for values without fractions: there its numbers are just integers."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        parts = [canonical(name) + b":" + canonical(value[name]) for name in names]
        return b"{" + b",".join(parts) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(canonical(item) for item in value) + b"]"
    return json.dumps(value, ensure_ascii=False).encode()


def _parsed(data: bytes) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a name twice")
        return dict(pairs)

    def integer(text: str) -> int:
        if not text.isdigit() or int(text) > NUMBER_MOST:
            raise ValueError("a number that is not allowed")
        return int(text)

    def nothing(text: str) -> None:
        raise ValueError("a number that is not allowed")

    def sound(value: Any, depth: int) -> None:
        if isinstance(value, str):
            value.encode()  # a lone surrogate can't be
        elif isinstance(value, dict | list):
            if depth == DEPTH_MOST:
                raise ValueError("too deep")
            for part in [*value, *(value.values() if isinstance(value, dict) else [])]:
                sound(part, depth + 1)

    try:
        if len(data) > MANIFEST_MOST:
            raise ValueError("too long")
        value = json.loads(
            data.decode(),
            object_pairs_hook=members,
            parse_int=integer,
            parse_float=nothing,
            parse_constant=nothing,
        )
        sound(value, 0)
    except (ValueError, RecursionError):
        raise Refused("ManifestMalformed") from None
    return value


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _matching(pattern: re.Pattern[str]) -> Any:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _or_null(check: Any) -> Any:
    return lambda value: value is None or check(value)


def _one_of(*words: str) -> Any:
    return lambda value: isinstance(value, str) and value in words


def _shaped(**members: Any) -> Any:
    return lambda value: (
        isinstance(value, dict)
        and all(name in value and check(value[name]) for name, check in members.items())
    )


def _list_of(check: Any) -> Any:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


def _sources(value: Any) -> bool:
    return (
        _list_of(_one_of("camera", "microphone", "screen"))(value)
        and bool(value)
        and value == sorted(set(value))
    )


_MEMBERS = {
    "critical": _list_of(_text),
    "organisation": _matching(_UUID),
    "recording": _matching(_UUID),
    "meeting": _matching(_UUID),
    "mode": _one_of("governed", "sealed"),
    "made_at": _matching(_TIME),
    "started_at": _matching(_TIME),
    "ended_at": _matching(_TIME),
    "policy": _shaped(
        id=_text, version=_number, sha256=_matching(_DIGEST), delete_after=_matching(_TIME)
    ),
    "consents": _list_of(
        _shaped(
            place=_matching(_UUID),
            text=_text,
            text_sha256=_matching(_DIGEST),
            given_at=_matching(_TIME),
            withdrawn_at=_or_null(_matching(_TIME)),
        )
    ),
    "attestations": _list_of(_shaped(by=_matching(_UUID), at=_matching(_TIME), others=_number)),
    "consent_digest": _matching(_DIGEST),
    "runs": _list_of(
        _shaped(
            run=_matching(_UUID),
            segments=_number,
            head=_matching(_DIGEST),
            finished=lambda value: isinstance(value, bool),
        )
    ),
    "gaps": _list_of(
        _shaped(
            from_ms=_number,
            to_ms=_number,
            object=_or_null(_matching(_UUID)),
            reason=_one_of("lost", "behind", "paused", "withdrawn", "spool", "away"),
        )
    ),
    "objects": _list_of(
        _shaped(
            object=_matching(_UUID),
            place=_matching(_UUID),
            sources=_sources,
            starts_ms=_number,
            plaintext_bytes=_number,
            bytes=_number,
            sha256=_matching(_DIGEST),
            key_commitment=_matching(_DIGEST),
        )
    ),
}


def _is_key(name: str) -> bool:
    return name in {"data_key", "private_key"} or name.startswith("wrap")


def _carries_keys(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_key(name) or _carries_keys(inner) for name, inner in value.items())
    return isinstance(value, list) and any(_carries_keys(item) for item in value)


# -------------------------------------------------------------------------- 5. a whole recording


def read_recording(
    manifest: dict[str, Any], storage: dict[str, bytes], data_keys: dict[str, bytes]
) -> dict[str, bytes | None]:
    """Each object's plaintext (nothing where its data key is not at hand). Raises ``Refused``."""
    listed = {entry["object"]: entry for entry in manifest["objects"]}
    for name in listed:
        if name not in storage:
            raise Refused("ObjectMissing", object=name)
    for name in storage:
        if name not in listed:
            raise Refused("ObjectUnlisted", object=name)
    opened = {}
    for name, entry in listed.items():
        wanted = WantedObject(
            organisation=uuid_bytes(manifest["organisation"]),
            recording=uuid_bytes(manifest["recording"]),
            object=uuid_bytes(name),
            consent_digest=bytes.fromhex(manifest["consent_digest"]),
            protection=int(manifest["mode"] == "sealed"),
            key_commitment=bytes.fromhex(entry["key_commitment"]),
            data_key=data_keys.get(name),
        )
        opened[name] = read_object(wanted, storage[name])
        if int.from_bytes(storage[name][92:100], "big") != entry["plaintext_bytes"]:
            raise Refused("ObjectReplaced", object=name)
        if digest(storage[name]).hex() != entry["sha256"]:
            raise Refused("ObjectReplaced", object=name)
    return opened


# --------------------------------------------------------------------------------- 9. the vectors


def read_case(case: dict[str, Any]) -> Any:
    """What a reader makes of a vector, in the form of its ``opened``. Raises ``Refused``."""
    unhex, un64 = bytes.fromhex, base64.b64decode
    if case["kind"] == "segments":
        return read_segments(
            Wanted(
                uuid_bytes(case["organisation"]), uuid_bytes(case["recording"]), case["protection"]
            ),
            unhex(case["private_key"]),
            [(uuid_bytes(r["run"]), [unhex(d) for d in r["digests"]]) for r in case["roll"]],
            {
                (uuid_bytes(s["run"]), s["sequence"]): un64(s["bytes_base64"])
                for s in case["storage"]
            },
        )
    if case["kind"] == "object":
        wanted = WantedObject(
            *(uuid_bytes(case[name]) for name in ("organisation", "recording", "object")),
            consent_digest=unhex(case["consent_digest"]),
            protection=case["protection"],
            key_commitment=unhex(case["key_commitment"]),
            data_key=unhex(case["data_key"]),
        )
        part = (case["range"][0], case["range"][1]) if "range" in case else None
        return _summary(read_object(wanted, un64(case["bytes_base64"]), part))
    keys = {
        name: ManifestKey(unhex(key["public"]), key["retired_at"])
        for name, key in case["manifest_keys"].items()
    }
    manifest = read_manifest(
        case["organisation"], case["recording"], keys, un64(case["manifest_base64"])
    )
    if case["kind"] == "manifest":
        return manifest
    storage = {name: un64(data) for name, data in case["storage_base64"].items()}
    data_keys = {name: unhex(key) for name, key in case["data_keys"].items()}
    opened = read_recording(manifest, storage, data_keys)
    return {name: _summary(plaintext) for name, plaintext in opened.items()}


def _summary(plaintext: bytes | None) -> Any:
    if plaintext is None:
        return None
    return {"bytes": len(plaintext), "sha256": digest(plaintext).hex()}


def judge(case: dict[str, Any]) -> str | None:
    """Nothing if the vector's outcome came true, otherwise what happened instead."""
    try:
        opened = read_case(case)
    except Refused as refused:
        happened: tuple[str, Any] = (refused.name, refused.where)
    else:
        happened = ("opened", opened)
    expected = case["opened"] if case["outcome"] == "opened" else case["where"]
    return None if happened == (case["outcome"], expected) else f"{happened[0]}, {happened[1]}"


if __name__ == "__main__":
    failed = 0
    for path in sys.argv[1:]:
        instead = judge(json.loads(Path(path).read_text()))
        failed += instead is not None
        print(f"{'as it should' if instead is None else 'NOT SO: ' + instead}: {path}")
    sys.exit(1 if failed else 0)
