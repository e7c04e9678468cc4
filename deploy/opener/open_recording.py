"""Verifies a recording against its signed manifest, and opens it for whoever has the keys.

One file, for somebody who does not have or does not trust our programs: it needs Python 3.11 and
the package ``cryptography``, opens no connection and shares no line with the rest. It was written
from FORMAT.md ("How a recording is written down, version 1"), and its errors are the names of
section 7 there. README.md beside this says how to use it and what the answers mean.

Status: 0 if all is well; 1 if something was refused; 2 if it could not begin.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand


class Refused(Exception):
    """A name of FORMAT.md section 7 and where it was found. Never holds contents."""

    def __init__(self, name: str, **where: str | int) -> None:
        super().__init__(" ".join([name, *(f"{key}={value}" for key, value in where.items())]))


class CannotBegin(Exception):
    """What was given on the command line can't be used."""


ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DIGEST = re.compile(r"[0-9a-f]{64}")
SIGNATURE = re.compile(r"[0-9a-f]{128}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


# ------------------------------------------------------------- the manifest, FORMAT.md section 4

MANIFEST_MOST_BYTES = 4_194_304
LEVELS_MOST = 16
NUMBER_MOST = 2**53 - 1


class ManifestKey:
    """A public key that signs manifests, and until when it did."""

    def __init__(self, public: bytes, retired_at: str | None) -> None:
        self.public = Ed25519PublicKey.from_public_bytes(public)
        self.retired_at = retired_at


def read_manifest(
    data: bytes, keys: dict[str, ManifestKey], asked_for: dict[str, str]
) -> dict[str, Any]:
    """What the manifest says, once every check of section 4 was made.

    ``asked_for``: ``organisation`` and ``recording``, as far as somebody asked for them.
    """
    envelope = parsed(data)
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
        if SIGNATURE.fullmatch(signature) is None:
            raise InvalidSignature
        key.public.verify(bytes.fromhex(signature), b"consilium/manifest/1\0" + canonical(said))
    except InvalidSignature:
        raise Refused("ManifestForged", member="signature") from None
    if isinstance(said.get("critical"), list) and said["critical"]:
        # Version 1 knows the members of the table, and those are never named there.
        raise Refused("ManifestCriticalUnknown", member="critical")
    for name, is_right in MEMBERS.items():
        if name not in said or not is_right(said[name]):
            raise Refused("ManifestMalformed", member=name)
    for name in sorted(said):
        if is_of_a_key(name) or carries_keys(said[name]):
            raise Refused("ManifestCarriesKeys", member=name)
    if key.retired_at is not None and said["made_at"] > key.retired_at:
        raise Refused("ManifestKeyRetired", member="made_at")
    for name, expected in asked_for.items():
        if said[name] != expected:
            raise Refused("ManifestFromAnotherRecording", member=name)
    agreed = canonical({name: said[name] for name in ("attestations", "consents")})
    if digest(b"consilium/consents/1\0" + agreed) != said["consent_digest"]:
        raise Refused("ConsentMismatch", member="consent_digest")
    listed = {entry["object"] for entry in said["objects"]}
    fits = all(
        entry["bytes"] == object_bytes(entry["plaintext_bytes"]) for entry in said["objects"]
    )
    if len(listed) != len(said["objects"]) or not fits:
        raise Refused("ManifestMalformed", member="objects")
    return said


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical(value: Any) -> bytes:
    """RFC 8785. There are no fractions in a manifest, so numbers are their digits."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        members = (canonical(name) + b":" + canonical(value[name]) for name in names)
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode()


def parsed(data: bytes) -> Any:
    """What is JSON, and allowed in a manifest."""
    try:
        if len(data) > MANIFEST_MOST_BYTES:
            raise ValueError
        value = json.loads(
            data.decode(),
            object_pairs_hook=members_once,
            parse_int=small_integer,
            parse_float=no_number,
            parse_constant=no_number,
        )
        check_levels(value, 0)
    except (ValueError, RecursionError):
        raise Refused("ManifestMalformed") from None
    return value


def members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def small_integer(text: str) -> int:
    if not text.isdigit() or len(text) > 16 or int(text) > NUMBER_MOST:
        raise ValueError
    return int(text)


def no_number(_: str) -> NoReturn:
    raise ValueError


def check_levels(value: Any, level: int) -> None:
    """``ValueError``: too deep, or a lone surrogate in a text or a name."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict | list):
        if level == LEVELS_MOST:
            raise ValueError
        for inner in [*value, *(value.values() if isinstance(value, dict) else ())]:
            check_levels(inner, level + 1)


def is_of_a_key(name: str) -> bool:
    return name in {"data_key", "private_key"} or name.startswith("wrap")


def carries_keys(value: Any) -> bool:
    if isinstance(value, dict):
        return any(is_of_a_key(name) or carries_keys(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(carries_keys, value))


Check = Callable[[Any], bool]


def text(value: Any) -> bool:
    return isinstance(value, str)


def number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def truth(value: Any) -> bool:
    return isinstance(value, bool)


def like(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def object_of(**members: Check) -> Check:
    return lambda value: (
        isinstance(value, dict)
        and all(name in value and check(value[name]) for name, check in members.items())
    )


def sources(value: Any) -> bool:
    named = list_of(one_of("camera", "microphone", "screen"))(value)
    return named and bool(value) and value == sorted(set(value))


MEMBERS: dict[str, Check] = {
    "critical": list_of(text),
    "organisation": like(ID),
    "recording": like(ID),
    "meeting": like(ID),
    "mode": one_of("governed", "sealed"),
    "made_at": like(TIME),
    "started_at": like(TIME),
    "ended_at": like(TIME),
    "policy": object_of(id=text, version=number, sha256=like(DIGEST), delete_after=like(TIME)),
    "consents": list_of(
        object_of(
            place=like(ID),
            text=text,
            text_sha256=like(DIGEST),
            given_at=like(TIME),
            withdrawn_at=or_null(like(TIME)),
        )
    ),
    "attestations": list_of(object_of(by=like(ID), at=like(TIME), others=number)),
    "consent_digest": like(DIGEST),
    "runs": list_of(object_of(run=like(ID), segments=number, head=like(DIGEST), finished=truth)),
    "gaps": list_of(
        object_of(
            from_ms=number,
            to_ms=number,
            object=or_null(like(ID)),
            reason=one_of("lost", "behind", "paused", "withdrawn", "spool", "away"),
        )
    ),
    "objects": list_of(
        object_of(
            object=like(ID),
            place=like(ID),
            sources=sources,
            starts_ms=number,
            plaintext_bytes=number,
            bytes=number,
            sha256=like(DIGEST),
            key_commitment=like(DIGEST),
        )
    ),
}


# ----------------------------------------------------------- the stored object, FORMAT.md section 3

HEADER_BYTES = 100
HEAD_BYTES = 156
CHUNK_BYTES = 16_384
TAG_BYTES = 16
PLAINTEXT_MOST_BYTES = 1_099_511_627_776
#: So many chunks are in memory at once: a mebibyte.
CHUNKS_AT_ONCE = 64


def object_bytes(plaintext_bytes: int) -> int:
    return HEAD_BYTES + plaintext_bytes + TAG_BYTES * (plaintext_bytes // CHUNK_BYTES + 1)


def check_object(
    stored: BinaryIO,
    manifest: dict[str, Any],
    entry: dict[str, Any],
    data_key: bytes | None,
    give: Callable[[bytes], object],
) -> None:
    """All checks of section 3 to the object's end, then 4 and 5 of section 5.

    ``give`` gets the film in pieces, each after its tag was checked; nothing without a data key.
    """
    where = {"object": entry["object"]}
    head = stored.read(HEAD_BYTES)
    length = checked_length(head, manifest, where)
    size = os.fstat(stored.fileno()).st_size
    if size < object_bytes(length):
        raise Refused("ObjectTruncated", **where)
    if size > object_bytes(length):
        raise Refused("ObjectTrailingBytes", **where)
    if not hmac.compare_digest(head[-32:], bytes.fromhex(entry["key_commitment"])):
        raise Refused("ObjectReplaced", **where)
    open_chunk = None if data_key is None else opener(head, data_key, where)
    read = hashlib.sha256(head)
    for k, chunk in chunks(stored, length):
        read.update(chunk)
        if open_chunk is not None:
            give(open_chunk(k, chunk))
    if length != entry["plaintext_bytes"] or read.hexdigest() != entry["sha256"]:
        raise Refused("ObjectReplaced", **where)


def checked_length(head: bytes, manifest: dict[str, Any], where: dict[str, Any]) -> int:
    """The film's length by the header, after checks 1 to 7."""
    if len(head) < 9:
        raise Refused("ObjectTruncated", **where)
    if head[:8] != b"CSLM-OBJ":
        raise Refused("NotAnObject", **where)
    if head[8] != 1:
        raise Refused("VersionUnsupported", **where)
    if len(head) < HEAD_BYTES:
        raise Refused("ObjectTruncated", **where)
    if head[9] != 1:
        raise Refused("SuiteUnsupported", **where)
    length = int.from_bytes(head[92:100], "big")
    if head[10] != 1 or head[11] not in {0, 1} or not 1 <= length <= PLAINTEXT_MOST_BYTES:
        raise Refused("ObjectMalformed", **where)
    if head[12:44] != raw_id(manifest["organisation"]) + raw_id(manifest["recording"]):
        raise Refused("ObjectFromAnotherRecording", **where)
    if head[44:60] != raw_id(where["object"]):
        raise Refused("ObjectMisplaced", **where)
    if head[60:92] != bytes.fromhex(manifest["consent_digest"]):
        raise Refused("ConsentMismatch", **where)
    if head[11] != int(manifest["mode"] == "sealed"):
        raise Refused("ProtectionMismatch", **where)
    return length


def raw_id(written: str) -> bytes:
    return bytes.fromhex(written.replace("-", ""))


def opener(head: bytes, data_key: bytes, where: dict[str, Any]) -> Callable[[int, bytes], bytes]:
    """What opens chunk k, if the object's commitment is to this key."""
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + head[HEADER_BYTES:-32]
    info += b"consilium/object/1\0" + head[:HEADER_BYTES]
    derived = HKDFExpand(hashes.SHA512(), 76, info).derive(data_key)
    if not hmac.compare_digest(head[-32:], derived[44:]):
        raise Refused("WrongKey", **where)
    key, base_nonce = AESGCM(derived[:32]), int.from_bytes(derived[32:44], "big")

    def open_chunk(k: int, chunk: bytes) -> bytes:
        try:
            return key.decrypt((base_nonce ^ k).to_bytes(12, "big"), chunk, None)
        except InvalidTag:
            raise Refused("ObjectTampered", **where, chunk=k) from None

    return open_chunk


def chunks(stored: BinaryIO, length: int) -> Iterator[tuple[int, bytes]]:
    """All chunks with their numbers; the last is shorter than the others and may hold nothing."""
    step = CHUNK_BYTES + TAG_BYTES
    count = length // CHUNK_BYTES + 1
    for first in range(0, count, CHUNKS_AT_ONCE):
        read = stored.read(step * min(CHUNKS_AT_ONCE, count - first))
        for k in range(first, min(first + CHUNKS_AT_ONCE, count)):
            yield k, read[step * (k - first) : step * (k - first + 1)]


# -------------------------------------------------------- a whole recording, FORMAT.md section 5


def report_on(
    manifest: dict[str, Any], objects: Path, data_keys: dict[str, bytes] | None, out: Path | None
) -> bool:
    """Prints a line for each object. Whether all is well."""
    listed = {f"{entry['object']}.bin": entry for entry in manifest["objects"]}
    answers = [
        report_on_object(manifest, entry, objects / name, data_keys, out)
        for name, entry in listed.items()
    ]
    for name in sorted(set(os.listdir(objects)) - set(listed)):
        say(printable(name), "ObjectUnlisted")
        answers.append(False)
    return all(answers)


def report_on_object(
    manifest: dict[str, Any],
    entry: dict[str, Any],
    path: Path,
    data_keys: dict[str, bytes] | None,
    out: Path | None,
) -> bool:
    name = entry["object"]
    data_key = (data_keys or {}).get(name)
    try:
        if not path.is_file():
            raise Refused("ObjectMissing", object=name)
        with path.open("rb") as stored:
            if data_key is None or out is None:
                check_object(stored, manifest, entry, data_key, lambda _: None)
            else:
                with whole_or_nothing(out, f"{name}.webm") as film:
                    check_object(stored, manifest, entry, data_key, film.write)
    except Refused as refused:
        say(name, str(refused).replace(f" object={name}", ""))
        return False
    except OSError as error:
        say(name, f"could not be read or written: {error.strerror}")
        return False
    if data_key is None:
        say(name, "unchanged, not opened" + ("" if data_keys is None else ": no key for it"))
        return data_keys is None
    say(name, "opened" if out is None else f"opened: {name}.webm")
    return True


@contextmanager
def whole_or_nothing(folder: Path, name: str) -> Iterator[BinaryIO]:
    """A file that has its name only after it was written to the end, and is gone otherwise."""
    part = folder / f".{name}.{os.getpid()}.part"
    film = os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
    try:
        with film:
            yield film
            film.flush()
            os.fsync(film.fileno())
        part.rename(folder / name)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def say(*parts: str) -> None:
    print(*parts, sep="\t", flush=True)


def printable(name: str) -> str:
    """A file's name, which somebody else chose, without anything that a terminal obeys."""
    return name if name.isascii() and name.isprintable() else ascii(name)


# ------------------------------------------------------------------------------ the command line


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Verifies a recording against its signed manifest, and opens it.",
        epilog="Status: 0 all is well, 1 something was refused, 2 it could not begin.",
    )
    parser.add_argument("--manifest", type=Path, required=True, help="the manifest's file")
    parser.add_argument(
        "--manifest-key",
        action="append",
        required=True,
        metavar="ID=HEX[@TIME]",
        help="a public key that signs manifests; TIME: when it was retired; may be repeated",
    )
    parser.add_argument("--organisation", help="refuse a manifest of any other (id)")
    parser.add_argument("--recording", help="refuse a manifest of any other (id)")
    parser.add_argument(
        "--objects", type=Path, required=True, help="a folder of <object id>.bin and nothing else"
    )
    parser.add_argument("--keys", type=Path, help='JSON: {"<object id>": "<data key in hex>"}')
    parser.add_argument("--out", type=Path, help="an existing folder for <object id>.webm")
    return parser.parse_args(given)


def manifest_keys(given: list[str]) -> dict[str, ManifestKey]:
    keys: dict[str, ManifestKey] = {}
    for one in given:
        name, _, rest = one.rpartition("=")
        public, _, retired_at = rest.partition("@")
        if (
            not name
            or not DIGEST.fullmatch(public)
            or (retired_at and not TIME.fullmatch(retired_at))
        ):
            raise CannotBegin(
                "a manifest key is ID=HEX or ID=HEX@TIME: 64 digits, YYYY-MM-DDThh:mm:ssZ"
            )
        if name in keys:
            raise CannotBegin("a manifest key is given twice")
        keys[name] = ManifestKey(bytes.fromhex(public), retired_at or None)
    return keys


def data_keys_of(path: Path) -> dict[str, bytes]:
    try:
        keys = json.loads(path.read_text())
    except ValueError:
        keys = None
    if not isinstance(keys, dict) or not all(
        ID.fullmatch(name) and isinstance(key, str) and DIGEST.fullmatch(key)
        for name, key in keys.items()
    ):
        raise CannotBegin("the file of keys is not JSON of object ids and 64 hexadecimal digits")
    return {name: bytes.fromhex(key) for name, key in keys.items()}


def main(given: list[str]) -> int:
    asked = arguments(given)
    try:
        keys = manifest_keys(asked.manifest_key)
        data_keys = data_keys_of(asked.keys) if asked.keys else None
        for folder in filter(None, (asked.objects, asked.out)):
            if not folder.is_dir():
                raise CannotBegin(f"{folder} is not a folder")
        with asked.manifest.open("rb") as file:
            data = file.read(MANIFEST_MOST_BYTES + 1)
        wanted = {name: getattr(asked, name) for name in ("organisation", "recording")}
        try:
            manifest = read_manifest(data, keys, {k: v for k, v in wanted.items() if v})
        except Refused as refused:
            say("manifest", printable(str(refused)))
            return 1
        for entry in manifest["objects"]:
            if asked.out and (asked.out / f"{entry['object']}.webm").exists():
                raise CannotBegin(f"{asked.out} has {entry['object']}.webm already")
    except (CannotBegin, OSError) as error:
        print(f"open_recording: {error}", file=sys.stderr)
        return 2
    say(
        "manifest",
        f"verified: recording {manifest['recording']} of organisation {manifest['organisation']},"
        f" made at {manifest['made_at']}, {len(manifest['objects'])} objects",
    )
    return 0 if report_on(manifest, asked.objects, data_keys, asked.out) else 1


def stop(*_: object) -> NoReturn:
    raise SystemExit(1)


if __name__ == "__main__":
    for sent in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sent, stop)  # so that nothing half written is left
    sys.exit(main(sys.argv[1:]))
