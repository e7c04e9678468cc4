"""Makes the vectors of ``platform/foundation/sealing/FORMAT.md``, byte for byte the same each time.

Run it as a script to write them again. It needs ``cryptography`` and the standard library, and
shares no line with the product. Where writers must be random (ephemeral keys, salts, data keys),
this takes digests of names instead: **never** do that outside of vectors. HPKE and the chunked
encryption are therefore written out here; ``reader.py`` opens what they make with the library's.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = Path(__file__).resolve().parent

Case = dict[str, Any]


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def fixed(name: str, size: int = 32) -> bytes:
    """``size`` bytes that are always the same for ``name``."""
    blocks = (digest(f"{name}/{n}".encode()) for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def an_id(name: str) -> str:
    """A UUID (version 4 in form) for ``name``."""
    raw = bytearray(fixed(f"id of {name}", 16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def raw_id(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def flipped(data: bytes, at: int) -> bytes:
    """One bit changed at ``at`` (from the end, if negative)."""
    at %= len(data)
    return changed(data, at, bytes([data[at] ^ 1]))


HOSPITAL = an_id("the hospital")
CLINIC = an_id("another hospital")
RECORDING = an_id("a recording")
ANOTHER_RECORDING = an_id("another recording of the same hospital")
MEETING = an_id("the meeting")
CLINICIAN = an_id("the clinician's place")
PATIENT = an_id("the patient's place")
RECORDING_KEY = fixed("the recording's private key")
ANOTHER_KEY = fixed("another recording's private key")


# ------------------------------------------------------------------------------- HPKE, RFC 9180


def _extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.digest(salt, secret, "sha256")


def expand(name: str, key: bytes, info: bytes, size: int) -> bytes:
    """HKDF-Expand (RFC 5869)."""
    made, block = b"", b""
    while len(made) < size:
        counter = len(made) // hashlib.new(name).digest_size + 1
        block = hmac.digest(key, block + info + bytes([counter]), name)
        made += block
    return made[:size]


def hpke_seal(public: bytes, info: bytes, plaintext: bytes, ephemeral: bytes) -> bytes:
    """``enc || ciphertext``: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode."""
    pair = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = pair.public_key().public_bytes_raw()
    shared = pair.exchange(X25519PublicKey.from_public_bytes(public))

    def labelled(suite: bytes) -> tuple[Callable[..., bytes], Callable[..., bytes]]:
        def extract(salt: bytes, label: bytes, secret: bytes) -> bytes:
            return _extract(salt, b"HPKE-v1" + suite + label + secret)

        def expanded(key: bytes, label: bytes, about: bytes, size: int) -> bytes:
            head = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label
            return expand("sha256", key, head + about, size)

        return extract, expanded

    extract, expanded = labelled(b"KEM\x00\x20")
    secret = expanded(extract(b"", b"eae_prk", shared), b"shared_secret", enc + public, 32)
    extract, expanded = labelled(b"HPKE\x00\x20\x00\x01\x00\x02")
    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    schedule = extract(secret, b"secret", b"")
    key = expanded(schedule, b"key", context, 32)
    nonce = expanded(schedule, b"base_nonce", context, 12)
    return enc + AESGCM(key).encrypt(nonce, plaintext, b"")


# -------------------------------------------------------------------------------------- segments


#: What a record says, by its bytes: friendly vectors show it as a reader must understand it.
_SAID: dict[bytes, dict[str, Any]] = {}


def record(code: int, name: str = "", /, **fields: tuple[int, int] | bytes | str) -> bytes:
    """A record of numbers, each (value, bytes), of ids as text, and of raw bytes."""
    body, said = b"", {"type": name}
    for field, value in fields.items():
        if isinstance(value, tuple):
            number, size = value
            body, said = body + number.to_bytes(size, "big"), {**said, field: number}
        elif isinstance(value, str):
            body, said = body + raw_id(value), {**said, field: value}
        else:
            body, said = body + value, {**said, field: value.hex()}
    made = bytes([code]) + len(body).to_bytes(4, "big") + body
    _SAID[made] = said
    return made


def said_in(plaintext: bytes) -> list[dict[str, Any]]:
    """What the records of ``plaintext`` were made from."""
    records = []
    while plaintext:
        end = 5 + int.from_bytes(plaintext[1:5], "big")
        records.append(_SAID[plaintext[:end]])
        plaintext = plaintext[end:]
    return records


def opening(second: int = 0, covers_us: int = 1_000_000) -> bytes:
    clock = second * 1_000_000
    wall = 1_795_262_400_000_000 + clock
    return record(1, "opening", clock_us=(clock, 8), wall_us=(wall, 8), covers_us=(covers_us, 4))


def source(
    stream: int,
    place: str,
    kind: int = 1,
    codec: int = 1,
    rate: int = 48_000,
    protection: int = 0,
) -> bytes:
    return record(
        2,
        "source",
        stream=(stream, 2),
        place=place,
        kind=(kind, 1),
        codec=(codec, 1),
        rate=(rate, 4),
        protection=(protection, 1),
    )


def frame(
    stream: int, at_us: int, payload: bytes, *, flags: int = 1, packets: int = 1, rtp: int = 0
) -> bytes:
    return record(
        3,
        "frame",
        stream=(stream, 2),
        flags=(flags, 1),
        rtp=(rtp, 4),
        arrival_us=(at_us, 8),
        sequence=(at_us // 20_000 % 65_536, 2),
        packets=(packets, 2),
        payload=payload,
    )


def report(stream: int, at_us: int, rtp: int) -> bytes:
    ntp = (1_795_262_400 + 2_208_988_800) * 2**32 + at_us * 2**32 // 1_000_000
    return record(
        4, "report", stream=(stream, 2), ntp=(ntp, 8), rtp=(rtp, 4), arrival_us=(at_us, 8)
    )


def gap(stream: int, from_us: int, to_us: int, reason: int) -> bytes:
    return record(
        5, "gap", stream=(stream, 2), from_us=(from_us, 8), to_us=(to_us, 8), reason=(reason, 1)
    )


def event(at_us: int, what: int, place: str) -> bytes:
    return record(6, "event", at_us=(at_us, 8), what=(what, 1), place=place)


def closing(why: int = 1) -> bytes:
    return record(7, "closing", why=(why, 1))


def segment(
    plaintext: bytes,
    *,
    sequence: int = 0,
    previous: bytes = bytes(32),
    run: str = an_id("the first run"),
    last: bool = False,
    organisation: str = HOSPITAL,
    recording: str = RECORDING,
    private: bytes = RECORDING_KEY,
    sealed_to: bytes | None = None,
    label: bytes = b"consilium/segment/1\0",
    ephemeral: str = "",
) -> bytes:
    """A sealed segment; ``sealed_to`` is another private key than the one the header names."""
    public = _public(private)
    header = b"CSLM-SEG" + bytes([1, 1]) + int(last).to_bytes(2, "big")
    header += sequence.to_bytes(4, "big")
    header += raw_id(organisation) + raw_id(recording) + raw_id(run)
    header += previous + digest(public)[:16] + (len(plaintext) + 48).to_bytes(4, "big")
    once = fixed(f"ephemeral {ephemeral}" + digest(header + plaintext).hex())
    return header + hpke_seal(_public(sealed_to or private), label + header, plaintext, once)


def _public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def run_of(plaintexts: list[bytes], *, ends: bool = True, **about: Any) -> list[bytes]:
    """Segments in a chain; the last one is flagged unless the worker died."""
    made: list[bytes] = []
    for sequence, plaintext in enumerate(plaintexts):
        previous = digest(made[-1]) if made else bytes(32)
        is_last = ends and sequence == len(plaintexts) - 1
        made.append(segment(plaintext, sequence=sequence, previous=previous, last=is_last, **about))
    return made


def talking(second: int, protection: int = 0) -> bytes:
    """Half a dozen frames of a visit; what they hold is noise."""
    at = second * 1_000_000

    def payload(what: str) -> bytes:
        return fixed(f"{what} in second {second}", 40)

    return b"".join(
        [
            opening(second),
            source(0, CLINICIAN, protection=protection),
            source(1, CLINICIAN, 2, 2, 90_000, protection),
            source(2, PATIENT, protection=protection),
            report(0, at, 48_000 * second),
            frame(0, at + 20_000, payload("sound"), rtp=48_000 * second + 960),
            frame(1, at + 30_000, payload("picture"), flags=1, packets=3, rtp=90_000 * second),
            frame(2, at + 41_000, payload("patient's sound"), rtp=7),
            frame(1, at + 63_000, payload("difference"), flags=0, rtp=90_000 * second + 3_000),
        ]
    )


FIRST = an_id("the first run")
SECOND = an_id("the second run")
VISIT = [
    talking(0) + event(900_000, 1, PATIENT),
    talking(1) + gap(2, 1_200_000, 1_260_000, 1) + event(1_500_000, 5, CLINICIAN),
    opening(2) + event(2_100_000, 9, CLINICIAN) + gap(65_535, 2_100_000, 3_000_000, 3),
    talking(3) + event(3_900_000, 2, PATIENT) + closing(),
]

Runs = dict[str, list[bytes]]


def segments_case(
    runs: Runs,
    *,
    stored: dict[tuple[str, int], bytes | None] | None = None,
    pinned: Runs | None = None,
    protection: int = 0,
    private: bytes = RECORDING_KEY,
) -> Case:
    """A recording whose storage holds ``runs``, but for what ``stored`` says otherwise.

    ``pinned``: what the roll was made from, if not from ``runs``.
    """
    storage = {(run, n): data for run, made in runs.items() for n, data in enumerate(made)}
    for name, data in (stored or {}).items():
        if data is None:
            storage.pop(name)
        else:
            storage[name] = data
    return {
        "kind": "segments",
        "organisation": HOSPITAL,
        "recording": RECORDING,
        "protection": protection,
        "private_key": private.hex(),
        "roll": [
            {"run": run, "digests": [digest(data).hex() for data in made]}
            for run, made in (runs if pinned is None else pinned).items()
        ],
        "storage": [
            {"run": run, "sequence": n, "bytes_base64": base64_of(data)}
            for (run, n), data in storage.items()
        ],
    }


def friendly_segments() -> Iterator[Case]:
    def opened(
        name: str, shows: str, runs: dict[str, tuple[list[bytes], bool]], protection: int = 0
    ) -> Case:
        made = {run: run_of(plain, ends=ends, run=run) for run, (plain, ends) in runs.items()}
        return {
            "name": f"segments-{name}",
            "shows": shows,
            **segments_case(made, protection=protection),
            "opened": [
                {
                    "run": run,
                    "finished": ends,
                    "segments": [
                        {"sequence": n, "records": said_in(plain)} for n, plain in enumerate(plains)
                    ],
                }
                for run, (plains, ends) in runs.items()
            ],
        }

    yield opened(
        "one-run",
        "a run of four segments: two people, key frames and others, a sender report, "
        "somebody joins, packets are lost, a camera goes off, a pause, somebody leaves, the end",
        {FIRST: (VISIT, True)},
    )
    yield opened(
        "worker-died",
        "an unfinished run, and the one that went on after it; that is no error",
        {FIRST: (VISIT[:2], False), SECOND: (VISIT[2:], True)},
    )
    yield opened(
        "silence",
        "the shortest segment: an opening and nothing else, in a run without an end",
        {FIRST: ([opening()], False)},
    )
    yield opened(
        "sealed",
        "frames under SFrame pass as they are, if the recording is a sealed one",
        {FIRST: ([talking(0, 1) + closing()], True)},
        protection=1,
    )
    many = b"".join(source(n, CLINICIAN) for n in range(64))
    yield opened(
        "most-sources",
        "64 sources in one segment are allowed",
        {FIRST: ([opening() + many + closing(2)], True)},
    )


def _refused(name: str, outcome: str, shows: str, sequence: int | None, case: Case) -> Case:
    where: dict[str, Any] = {"run": case.pop("in_run", FIRST)}
    if sequence is not None:
        where["sequence"] = sequence
    return {"name": f"segments-{name}", "outcome": outcome, "where": where, "shows": shows, **case}


def hostile_segments() -> Iterator[Case]:
    good = run_of(VISIT)
    second = run_of(VISIT[2:], run=SECOND)

    def put(n: int, data: bytes | None) -> Case:
        return segments_case({FIRST: good}, stored={(FIRST, n): data})

    # What the storage does alone.
    yield _refused("dropped", "SegmentMissing", "a segment is gone", 1, put(1, None))
    yield _refused("end-dropped", "SegmentMissing", "the last segment is gone", 3, put(3, None))
    yield _refused(
        "run-dropped",
        "SegmentMissing",
        "a whole run is gone",
        0,
        {
            **segments_case({FIRST: good}, pinned={FIRST: good, SECOND: second}),
            "in_run": SECOND,
        },
    )
    yield _refused("empty", "SegmentTruncated", "nothing is left of it", 1, put(1, b""))
    yield _refused(
        "cut-in-header", "SegmentTruncated", "it ends in its header", 1, put(1, good[1][:60])
    )
    yield _refused(
        "cut-before-ciphertext", "SegmentTruncated", "its header only", 1, put(1, good[1][:116])
    )
    yield _refused("cut", "SegmentTruncated", "its last byte is gone", 1, put(1, good[1][:-1]))
    yield _refused(
        "trailing", "SegmentTrailingBytes", "a byte was added", 1, put(1, good[1] + b"\0")
    )
    yield _refused("magic", "NotASegment", "another magic", 1, put(1, flipped(good[1], 0)))
    yield _refused(
        "object-for-segment",
        "NotASegment",
        "a stored object in a segment's place",
        1,
        put(1, stored_object(b"film", ID_A)),
    )
    yield _refused(
        "version", "VersionUnsupported", "version 2", 1, put(1, changed(good[1], 8, b"\2"))
    )
    yield _refused("suite", "SuiteUnsupported", "suite 2", 1, put(1, changed(good[1], 9, b"\2")))
    yield _refused(
        "flag",
        "SegmentMalformed",
        "a flag that is not known",
        1,
        put(1, changed(good[1], 11, b"\2")),
    )
    yield _refused(
        "sealed-bytes-huge",
        "SegmentMalformed",
        "it claims 4 GiB, which nobody may set memory aside for",
        1,
        put(1, changed(good[1], 112, b"\xff\xff\xff\xff")),
    )
    yield _refused(
        "sealed-bytes-tiny",
        "SegmentMalformed",
        "shorter than any opening",
        1,
        put(1, changed(good[1], 112, (72).to_bytes(4, "big"))),
    )
    yield _refused(
        "from-another-recording",
        "SegmentFromAnotherRecording",
        "same hospital, same worker, same number, another recording",
        1,
        put(1, run_of(VISIT, recording=ANOTHER_RECORDING)[1]),
    )
    yield _refused(
        "from-another-organisation",
        "SegmentFromAnotherRecording",
        "a segment of another hospital with the recording's own id",
        1,
        put(1, run_of(VISIT, organisation=CLINIC)[1]),
    )
    yield _refused(
        "from-another-run",
        "SegmentFromAnotherRun",
        "same recording, same number, another run",
        1,
        segments_case({FIRST: good, SECOND: second}, stored={(FIRST, 1): second[1]}),
    )
    yield _refused(
        "swapped",
        "SegmentMisplaced",
        "two segments changed places",
        1,
        segments_case({FIRST: good}, stored={(FIRST, 1): good[2], (FIRST, 2): good[1]}),
    )
    yield _refused(
        "repeated", "SegmentRepeated", "one segment comes a second time", 2, put(2, good[1])
    )
    yield _refused(
        "wrong-key",
        "WrongKey",
        "the key at hand is another recording's",
        0,
        segments_case({FIRST: good}, private=ANOTHER_KEY),
    )
    yield _refused(
        "key-id-changed",
        "WrongKey",
        "the header names another key",
        1,
        put(1, flipped(good[1], 96)),
    )
    for at, name, shows in (
        (-1, "tag", "a bit of the tag is changed"),
        (200, "ciphertext", "a bit of the ciphertext is changed"),
        (116, "enc", "a bit of the encapsulated key is changed"),
        (64, "previous", "a bit of the previous digest is changed"),
        (11, "last-flag", "a segment in the middle is said to be the last"),
    ):
        yield _refused(f"{name}-changed", "SegmentTampered", shows, 1, put(1, flipped(good[1], at)))
    forged = segment(
        talking(1), sequence=1, previous=digest(good[0]), ephemeral="a stranger who saw the key"
    )
    yield _refused(
        "forged",
        "SegmentTampered",
        "a stranger sealed one of their own to the public key; only the roll tells",
        1,
        put(1, forged),
    )
    yield _refused(
        "unknown-run",
        "RunUnknown",
        "the storage holds a run that nobody ordered",
        None,
        {**segments_case({FIRST: good, SECOND: second}, pinned={FIRST: good}), "in_run": SECOND},
    )
    yield _refused(
        "beyond-roll",
        "SegmentBeyondRoll",
        "the storage holds one more than was acknowledged",
        2,
        segments_case({FIRST: good[:3]}, pinned={FIRST: good[:2]}),
    )

    # The storage and the roll together.
    def both(made: list[bytes]) -> Case:
        return segments_case({FIRST: made})

    yield _refused(
        "roll-changed-too",
        "SegmentUnopened",
        "a bit of the ciphertext is changed, and the roll with it",
        1,
        both([good[0], flipped(good[1], 200)]),
    )
    yield _refused(
        "made-the-last",
        "SegmentUnopened",
        "the end was cut off, and the newest that is left says it is the last",
        1,
        both([good[0], flipped(good[1], 11)]),
    )
    shifted = changed(good[2], 12, (1).to_bytes(4, "big"))
    yield _refused(
        "renumbered",
        "SegmentChainBroken",
        "one was left out, the next was given its number",
        1,
        both([good[0], shifted]),
    )
    rechained = changed(shifted, 64, digest(good[0]))
    yield _refused(
        "rechained",
        "SegmentUnopened",
        "one was left out, the next was given its number and its predecessor",
        1,
        both([good[0], rechained]),
    )
    yield _refused(
        "forged-in-the-middle",
        "SegmentChainBroken",
        "a forged one is on the roll, but the next was sealed after another",
        2,
        both([good[0], forged, *good[2:]]),
    )
    yield _refused(
        "first-has-previous",
        "SegmentChainBroken",
        "number 0 names a predecessor: what was before it is withheld",
        0,
        both([segment(talking(0), previous=fixed("something"))]),
    )
    ended = run_of([talking(0) + closing()])
    yield _refused(
        "after-last",
        "SegmentAfterLast",
        "a run goes on after its end",
        1,
        both([*ended, segment(talking(1), sequence=1, previous=digest(ended[0]))]),
    )
    yield _refused(
        "low-order-point",
        "SegmentUnopened",
        "the encapsulated key is zero, so that the shared secret would be",
        0,
        both([changed(good[0], 116, bytes(32))]),
    )

    # A worker that errs, or lies.
    yield _refused(
        "sealed-to-another",
        "SegmentUnopened",
        "the header names this recording's key, but it was sealed to another",
        0,
        both([segment(talking(0), sealed_to=ANOTHER_KEY)]),
    )
    yield _refused(
        "other-label",
        "SegmentUnopened",
        "sealed under the label of something else",
        0,
        both([segment(talking(0), label=b"consilium/escrow/1\0")]),
    )
    mine = source(0, CLINICIAN)
    leaves = event(0, 2, PATIENT)[5:]
    video = source(0, CLINICIAN, 2, 2, 90_000)
    for name, shows, plaintext in (
        ("no-opening", "no opening", event(0, 1, PATIENT) * 2),
        ("opening-late", "the opening is not the first record", event(0, 1, PATIENT) + opening()),
        ("opening-twice", "two openings", opening() * 2),
        ("covers-too-much", "eleven seconds in one segment", opening(0, 11_000_000)),
        ("unknown-record", "a record of type 8", opening() + record(8)),
        (
            "record-past-end",
            "a record longer than what is left",
            opening() + b"\6\0\0\0\x1a" + leaves,
        ),
        ("record-cut", "it ends within a record's length", opening() + b"\6\0\0"),
        (
            "body-too-long",
            "an event with one byte too many",
            opening() + record(6, body=leaves + b"\0"),
        ),
        (
            "body-too-short",
            "an event with one byte too few",
            opening() + record(6, body=leaves[:-1]),
        ),
        (
            "frame-without-source",
            "a frame of a stream nobody told of",
            opening() + frame(3, 0, b"x"),
        ),
        ("report-without-source", "a report of such a stream", opening() + report(3, 0, 0)),
        ("gap-without-source", "a gap of such a stream", opening() + gap(3, 0, 1, 1)),
        ("source-twice", "one stream is told of twice", opening() + mine + source(0, PATIENT)),
        ("source-for-all", "the stream that stands for all", opening() + source(65_535, PATIENT)),
        (
            "too-many-sources",
            "65 sources",
            opening() + b"".join(source(n, PATIENT) for n in range(65)),
        ),
        ("unknown-kind", "a source of kind 4", opening() + source(0, PATIENT, 4)),
        ("unknown-codec", "codec 3", opening() + source(0, PATIENT, 2, 3, 90_000)),
        ("wrong-rate", "Opus at 44,100", opening() + source(0, PATIENT, 1, 1, 44_100)),
        (
            "picture-from-microphone",
            "a microphone with VP8",
            opening() + source(0, PATIENT, 1, 2, 90_000),
        ),
        ("unknown-protection", "protection 2", opening() + source(0, PATIENT, protection=2)),
        ("empty-frame", "a frame without payload", opening() + mine + frame(0, 0, b"")),
        (
            "frame-of-no-packets",
            "a frame that came in no packet",
            opening() + mine + frame(0, 0, b"x", packets=0),
        ),
        (
            "frame-flag",
            "a frame with an unknown flag",
            opening() + video + frame(0, 0, b"x", flags=2),
        ),
        (
            "sound-without-key",
            "an Opus frame that needs another",
            opening() + mine + frame(0, 0, b"x", flags=0),
        ),
        ("gap-backwards", "a gap that ends before it begins", opening() + gap(65_535, 2, 1, 1)),
        ("unknown-gap", "a gap for reason 7", opening() + gap(65_535, 1, 2, 7)),
        ("unknown-event", "event 13", opening() + event(0, 13, PATIENT)),
        ("closing-unflagged", "a closing in a segment that is not the last", opening() + closing()),
    ):
        yield _refused(name, "SegmentMalformed", shows, 0, both([segment(plaintext)]))
    for name, shows, plaintext in (
        ("no-closing", "the last segment has no closing", opening()),
        (
            "unknown-record-at-end",
            "a record of type 8 as the last",
            opening() + record(8, why=(1, 1)),
        ),
        ("closing-early", "a record after the closing", opening() + closing() + closing()),
        ("unknown-closing", "a closing for reason 7", opening() + closing(7)),
    ):
        yield _refused(name, "SegmentMalformed", shows, 0, both([segment(plaintext, last=True)]))
    yield _refused(
        "clear-in-sealed",
        "ProtectionMismatch",
        "frames in clear in a sealed recording",
        0,
        segments_case({FIRST: run_of([talking(0) + closing()])}, protection=1),
    )
    yield _refused(
        "sealed-in-governed",
        "ProtectionMismatch",
        "frames that cannot be played in a governed recording",
        0,
        both(run_of([talking(0, 1) + closing()])),
    )


# ---------------------------------------------------------------------------------- stored objects

ID_A = an_id("the clinician's film")
ID_B = an_id("the patient's film")
CHUNK = 16_384


def film(size: int, name: str = "film") -> bytes:
    """Bytes that stand for WebM; the format does not look inside."""
    return b"\x1a\x45\xdf\xa3"[:size] + fixed(name, max(size - 4, 0))


def object_size(n: int) -> int:
    return 156 + n + 16 * (n // CHUNK + 1)


def stored_object(
    plaintext: bytes,
    object_id: str,
    *,
    consents: bytes = fixed("consents"),
    organisation: str = HOSPITAL,
    recording: str = RECORDING,
    protection: int = 0,
    data_key: bytes | None = None,
    salt: str = "",
) -> bytes:
    header = b"CSLM-OBJ" + bytes([1, 1, 1, protection])
    header += raw_id(organisation) + raw_id(recording) + raw_id(object_id) + consents
    header += len(plaintext).to_bytes(8, "big")
    salted = fixed(f"salt {salt} {object_id}", 24)
    context = b"consilium/object/1\0" + header
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salted + context
    made = expand("sha512", data_key or key_of(object_id), info, 76)
    key, base, commitment = made[:32], made[32:44], made[44:]
    chunks = [
        AESGCM(key).encrypt(
            (int.from_bytes(base, "big") ^ k).to_bytes(12, "big"),
            plaintext[CHUNK * k : CHUNK * (k + 1)],
            b"",
        )
        for k in range(len(plaintext) // CHUNK + 1)
    ]
    return header + salted + commitment + b"".join(chunks)


def key_of(object_id: str) -> bytes:
    return fixed(f"data key of {object_id}")


def object_case(
    data: bytes,
    *,
    commitment: bytes | None = None,
    consents: bytes = fixed("consents"),
    protection: int = 0,
    data_key: bytes | None = None,
    part: tuple[int, int] | None = None,
) -> Case:
    case: Case = {
        "kind": "object",
        "organisation": HOSPITAL,
        "recording": RECORDING,
        "object": ID_A,
        "consent_digest": consents.hex(),
        "protection": protection,
        "key_commitment": (data[124:156] if commitment is None else commitment).hex(),
        "data_key": (data_key or key_of(ID_A)).hex(),
    }
    if part is not None:
        case["range"] = list(part)
    return {**case, "bytes_base64": base64_of(data)}


def seen(plaintext: bytes) -> dict[str, Any]:
    return {"bytes": len(plaintext), "sha256": digest(plaintext).hex()}


LONG = film(2 * CHUNK + 700)


def friendly_objects() -> Iterator[Case]:
    for name, shows, size in (
        ("one-byte", "the shortest object", 1),
        ("one-chunk", "exactly one chunk, so that an empty second one ends the object", CHUNK),
        ("three-chunks", "two full chunks and a short one", len(LONG)),
    ):
        yield {
            "name": f"object-{name}",
            "shows": shows,
            **object_case(stored_object(film(size), ID_A)),
            "opened": seen(film(size)),
        }
    data = stored_object(LONG, ID_A)
    for name, shows, part in (
        ("range", "bytes from the end of one chunk to the beginning of the next", (16_380, 16_390)),
        ("range-to-end", "the last byte", (len(LONG) - 1, len(LONG))),
    ):
        yield {
            "name": f"object-{name}",
            "shows": shows,
            **object_case(data, part=part),
            "opened": seen(LONG[part[0] : part[1]]),
        }
    yield {
        "name": "object-range-beside-damage",
        "shows": "chunk 2 was changed; a range in chunk 0 says nothing of it and opens",
        **object_case(flipped(data, -1), part=(0, CHUNK)),
        "opened": seen(LONG[:CHUNK]),
    }
    yield {
        "name": "object-sealed",
        "shows": "an object of a sealed recording: what is inside stays ciphertext of the call",
        **object_case(stored_object(film(99), ID_A, protection=1), protection=1),
        "opened": seen(film(99)),
    }


def hostile_objects() -> Iterator[Case]:
    good = stored_object(LONG, ID_A)
    small = stored_object(film(99), ID_A)
    commitment = small[124:156]

    def refused(
        name: str, outcome: str, shows: str, data: bytes, chunk: int | None = None, **about: Any
    ) -> Case:
        where: dict[str, Any] = {"object": ID_A}
        if chunk is not None:
            where["chunk"] = chunk
        if "commitment" not in about and len(data) < 156:
            about["commitment"] = commitment
        return {
            "name": f"object-{name}",
            "outcome": outcome,
            "where": where,
            "shows": shows,
            **object_case(data, **about),
        }

    chunk = [good[156 + 16_400 * k : 156 + 16_400 * (k + 1)] for k in range(3)]
    head = good[:156]
    yield refused("empty", "ObjectTruncated", "nothing is left", b"")
    yield refused("cut-in-header", "ObjectTruncated", "it ends in its header", small[:99])
    yield refused("cut-in-commitment", "ObjectTruncated", "it ends before any chunk", small[:155])
    yield refused("cut", "ObjectTruncated", "its last byte is gone", small[:-1])
    yield refused(
        "cut-at-chunk", "ObjectTruncated", "cut off where a chunk ends", head + chunk[0] + chunk[1]
    )
    yield refused(
        "cut-at-empty-chunk",
        "ObjectTruncated",
        "exactly one chunk, and the empty one after it is gone",
        stored_object(film(CHUNK), ID_A)[:-16],
    )
    yield refused("trailing", "ObjectTrailingBytes", "a byte was added", small + b"\0")
    yield refused("magic", "NotAnObject", "another magic", flipped(small, 7))
    yield refused("version", "VersionUnsupported", "version 2", changed(small, 8, b"\2"))
    yield refused("suite", "SuiteUnsupported", "suite 2", changed(small, 9, b"\2"))
    yield refused("kind", "ObjectMalformed", "something else than WebM", changed(small, 10, b"\2"))
    yield refused("protection", "ObjectMalformed", "protection 2", changed(small, 11, b"\2"))
    yield refused("length-zero", "ObjectMalformed", "an empty film", changed(small, 92, bytes(8)))
    yield refused(
        "length-huge", "ObjectMalformed", "more than a TiB", changed(small, 92, b"\xff" * 8)
    )
    yield refused(
        "from-another-recording",
        "ObjectFromAnotherRecording",
        "an object of another recording, with the same id and key",
        stored_object(film(99), ID_A, recording=ANOTHER_RECORDING),
    )
    yield refused(
        "from-another-organisation",
        "ObjectFromAnotherRecording",
        "an object of another hospital",
        stored_object(film(99), ID_A, organisation=CLINIC),
    )
    yield refused(
        "misplaced",
        "ObjectMisplaced",
        "another object of the same recording",
        stored_object(film(99), ID_B),
    )
    yield refused(
        "other-consent",
        "ConsentMismatch",
        "made under other consents than the manifest shows",
        stored_object(film(99), ID_A, consents=fixed("other consents")),
    )
    yield refused(
        "sealed-for-clear",
        "ProtectionMismatch",
        "protected frames where the manifest says governed",
        stored_object(film(99), ID_A, protection=1),
    )
    yield refused(
        "made-again",
        "ObjectReplaced",
        "the same film under the same key, encrypted again",
        stored_object(film(99), ID_A, salt="another"),
        commitment=commitment,
    )
    yield refused(
        "two-keys",
        "ObjectReplaced",
        "the other film of a file that opens under two keys",
        stored_object(film(99, "other film"), ID_A, data_key=fixed("second key")),
        commitment=commitment,
    )
    yield refused(
        "commitment-changed",
        "ObjectReplaced",
        "a bit of the commitment is changed",
        flipped(small, 124),
        commitment=commitment,
    )
    yield refused(
        "wrong-key", "WrongKey", "another data key", small, data_key=fixed("some other key")
    )
    yield refused("salt-changed", "WrongKey", "a bit of the salt is changed", flipped(small, 100))
    shorter = changed(good, 92, (2 * CHUNK - 1).to_bytes(8, "big"))
    yield refused(
        "shortened",
        "WrongKey",
        "cut, with a length in the header that fits",
        shorter[: object_size(2 * CHUNK - 1)],
    )
    yield refused(
        "header-and-manifest",
        "WrongKey",
        "other consents are claimed in the header and by who asks",
        changed(small, 60, fixed("other consents")),
        consents=fixed("other consents"),
    )
    yield refused(
        "ciphertext-changed", "ObjectTampered", "a bit is changed", flipped(good, 20_000), 1
    )
    yield refused("tag-changed", "ObjectTampered", "a bit of the last tag", flipped(good, -1), 2)
    yield refused(
        "empty-chunk-changed",
        "ObjectTampered",
        "the empty last chunk is checked as well",
        flipped(stored_object(film(CHUNK), ID_A), -1),
        1,
    )
    yield refused(
        "chunks-swapped",
        "ObjectTampered",
        "two chunks changed places",
        head + chunk[1] + chunk[0] + chunk[2],
        0,
    )
    yield refused(
        "chunk-repeated",
        "ObjectTampered",
        "one chunk twice, another not at all",
        head + chunk[0] + chunk[0] + chunk[2],
        1,
    )
    other = stored_object(film(len(LONG), "other film"), ID_A, salt="another")
    yield refused(
        "chunk-from-another",
        "ObjectTampered",
        "the last chunk of another object under the same data key",
        good[: -len(chunk[2])] + other[-len(chunk[2]) :],
        2,
    )
    yield refused(
        "range-in-damage",
        "ObjectTampered",
        "a range that ends in a chunk that was changed",
        flipped(good, -1),
        2,
        part=(2 * CHUNK - 1, 2 * CHUNK + 1),
    )
    yield refused("range-beyond", "RangeOutside", "a range past the end", small, part=(50, 100))
    yield refused("range-empty", "RangeOutside", "a range of nothing", small, part=(5, 5))


# --------------------------------------------------------------------------------------- manifests

SIGNER = "manifest-3f2a90b1c4d5"
RETIRED = "manifest-00112233aabb"


def canonical(value: Any) -> bytes:
    """RFC 8785 where all numbers are integers: names by UTF-16, the escapes that json has."""
    if isinstance(value, dict):
        value = dict(sorted(value.items(), key=lambda item: item[0].encode("utf-16-be")))
        inner = [
            json.dumps(k, ensure_ascii=False).encode() + b":" + canonical(v)
            for k, v in value.items()
        ]
        return b"{" + b",".join(inner) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode()


def consent_digest(said: dict[str, Any]) -> str:
    agreed = {"attestations": said["attestations"], "consents": said["consents"]}
    return digest(b"consilium/consents/1\0" + canonical(agreed)).hex()


def entry(object_id: str, place: str, data: bytes) -> dict[str, Any]:
    return {
        "object": object_id,
        "place": place,
        "sources": ["camera", "microphone"],
        "starts_ms": 0,
        "plaintext_bytes": int.from_bytes(data[92:100], "big"),
        "bytes": len(data),
        "sha256": digest(data).hex(),
        "key_commitment": data[124:156].hex(),
    }


FILMS = {ID_A: film(20_000), ID_B: film(99, "patient's film")}


def a_manifest(**about: Any) -> dict[str, Any]:
    """What is said of a visit of five minutes; ``about`` replaces members."""
    said: dict[str, Any] = {
        "format": "consilium/manifest",
        "version": 1,
        "critical": [],
        "organisation": HOSPITAL,
        "recording": RECORDING,
        "meeting": MEETING,
        "mode": "governed",
        "made_at": "2026-11-21T12:06:10Z",
        "started_at": "2026-11-21T12:00:00Z",
        "ended_at": "2026-11-21T12:05:00Z",
        "policy": {
            "id": "default",
            "version": 3,
            "sha256": fixed("policy").hex(),
            "delete_after": "2036-11-21T12:05:00Z",
        },
        "consents": [
            {
                "place": place,
                "text": "recording/en/2",
                "text_sha256": fixed("consent text").hex(),
                "given_at": "2026-11-21T11:59:30Z",
                "withdrawn_at": None,
            }
            for place in (CLINICIAN, PATIENT)
        ],
        "attestations": [{"by": CLINICIAN, "at": "2026-11-21T11:59:50Z", "others": 1}],
        "runs": [
            {"run": FIRST, "segments": 2, "head": fixed("head 1").hex(), "finished": False},
            {"run": SECOND, "segments": 298, "head": fixed("head 2").hex(), "finished": True},
        ],
        "gaps": [{"from_ms": 2_000, "to_ms": 3_400, "object": None, "reason": "away"}],
        "objects": [],
    }
    said.update({name: value for name, value in about.items() if name != "objects"})
    said.setdefault("consent_digest", consent_digest(said))
    sealed = int(said["mode"] == "sealed")
    digest_now = bytes.fromhex(consent_digest(said))
    made = {
        name: stored_object(data, name, consents=digest_now, protection=sealed)
        for name, data in FILMS.items()
    }
    places = {ID_A: CLINICIAN, ID_B: PATIENT}
    said["objects"] = about.get(
        "objects", [entry(name, places[name], data) for name, data in made.items()]
    )
    return said


def films(said: dict[str, Any]) -> dict[str, bytes]:
    """The stored objects that belong to ``a_manifest``."""
    consents = bytes.fromhex(consent_digest(said))
    return {
        name: stored_object(data, name, consents=consents, protection=int(said["mode"] == "sealed"))
        for name, data in FILMS.items()
    }


def signed(said: dict[str, Any], key: str = SIGNER, by: str | None = None) -> dict[str, Any]:
    private = Ed25519PrivateKey.from_private_bytes(fixed(f"private key of {by or key}"))
    signature = private.sign(b"consilium/manifest/1\0" + canonical(said))
    return {"key": key, "manifest": said, "signature": signature.hex()}


def manifest_case(data: bytes, **about: Any) -> Case:
    def public(name: str) -> str:
        private = Ed25519PrivateKey.from_private_bytes(fixed(f"private key of {name}"))
        return private.public_key().public_bytes_raw().hex()

    return {
        "kind": "manifest",
        "organisation": HOSPITAL,
        "recording": RECORDING,
        "manifest_keys": {
            SIGNER: {"public": public(SIGNER), "retired_at": None},
            RETIRED: {"public": public(RETIRED), "retired_at": "2026-06-30T00:00:00Z"},
        },
        **about,
        "manifest_base64": base64_of(data),
    }


def friendly_manifests() -> Iterator[Case]:
    def opened(name: str, shows: str, said: dict[str, Any], key: str = SIGNER) -> Case:
        return {
            "name": f"manifest-{name}",
            "shows": shows,
            **manifest_case(canonical(signed(said, key))),
            "opened": said,
        }

    yield opened("visit", "two people, two runs, a gap between them, two films", a_manifest())
    yield opened("sealed", "a sealed recording", a_manifest(mode="sealed"))
    withdrawn = a_manifest()["consents"]
    withdrawn[1]["withdrawn_at"] = "2026-11-21T12:03:00Z"
    yield opened(
        "withdrawn", "a consent that was withdrawn is in the digest", a_manifest(consents=withdrawn)
    )
    yield opened(
        "unknown-members",
        "members that nobody knows yet are signed, kept and ignored, at any level, and sorted "
        "by UTF-16: U+1F3A5 before U+FB33",
        a_manifest(
            later={"\ufb33": 1, "\U0001f3a5": '\u20ac \u007f \u0001 " \\ /', "": []},
            policy={**a_manifest()["policy"], "note": True},
        ),
    )
    deep: Any = []
    for _ in range(13):
        deep = [deep]
    yield opened("sixteen-levels", "as deep as allowed", a_manifest(later=deep))
    yield opened(
        "retired-key",
        "made while the key was still in use",
        a_manifest(made_at="2026-06-30T00:00:00Z"),
        RETIRED,
    )


def hostile_manifests() -> Iterator[Case]:
    said = a_manifest()
    good = canonical(signed(said))

    def refused(
        name: str, outcome: str, shows: str, data: bytes, member: str | None = None, **about: Any
    ) -> Case:
        return {
            "name": f"manifest-{name}",
            "outcome": outcome,
            "where": {} if member is None else {"member": member},
            "shows": shows,
            **manifest_case(data, **about),
        }

    def resigned(name: str, outcome: str, shows: str, member: str, **about: Any) -> Case:
        """Signed by us, and wrong all the same."""
        return refused(name, outcome, shows, canonical(signed(a_manifest(**about))), member)

    malformed = "ManifestMalformed"
    yield refused("empty", malformed, "nothing is left", b"")
    yield refused("cut", malformed, "its last byte is gone", good[:-1])
    yield refused("not-utf-8", malformed, "bytes that are no UTF-8", good[:-1] + b"\xff}")
    yield refused("byte-order-mark", malformed, "a mark before it", b"\xef\xbb\xbf" + good)
    yield refused("two", malformed, "another manifest after it", good + good)
    yield refused(
        "name-twice", malformed, "a member twice, so that readers differ", b'{"key":"",' + good[1:]
    )
    yield refused(
        "fraction",
        malformed,
        "a number with a fraction",
        good.replace(b'"version":3', b'"version":3.0'),
    )
    yield refused(
        "negative", malformed, "a number below 0", good.replace(b'"version":3', b'"version":-3')
    )
    yield refused(
        "number-huge",
        malformed,
        "2^53, which not every reader can hold",
        good.replace(b'"version":3', b'"version":9007199254740992'),
    )
    yield refused(
        "not-a-number",
        malformed,
        "NaN in place of a number",
        good.replace(b'"version":3', b'"version":NaN'),
    )
    yield refused(
        "lone-surrogate", malformed, "half a character", good.replace(b'"default"', b'"\\ud800"')
    )
    deep: Any = []
    for _ in range(14):
        deep = [deep]
    yield refused(
        "too-deep",
        malformed,
        "seventeen levels",
        canonical(signed(a_manifest(later=deep))),
    )
    yield refused("bottomless", malformed, "twenty thousand brackets", b"[" * 20_000)
    yield refused("list", malformed, "a list", b"[]")
    yield refused(
        "envelope-more",
        malformed,
        "a fourth member beside the three",
        canonical({**signed(said), "note": ""}),
    )
    for member in ("key", "manifest", "signature"):
        yield refused(
            f"{member}-a-number",
            malformed,
            f"a number for the {member}",
            canonical({**signed(said), member: 1}),
        )
    unsigned = signed(said)
    del unsigned["signature"]
    yield refused("unsigned", malformed, "no signature", canonical(unsigned))
    yield refused("newline", "ManifestNotCanonical", "a line's end after it", good + b"\n")
    yield refused("space", "ManifestNotCanonical", "a space in it", good.replace(b'":', b'": ', 1))
    yield refused(
        "order",
        "ManifestNotCanonical",
        "members in another order",
        json.dumps(dict(reversed(signed(said).items())), separators=(",", ":")).encode(),
    )
    yield refused(
        "escaped",
        "ManifestNotCanonical",
        "a letter written as an escape",
        good.replace(b'"default"', b'"d\\u0065fault"'),
    )
    yield resigned("format", malformed, "another format", "format", format="consilium/trail")
    yield resigned("version", "VersionUnsupported", "version 2", "version", version=2)
    yield resigned("version-true", "VersionUnsupported", "true is not 1", "version", version=True)
    yield resigned("critical-text", malformed, "no list", "critical", critical="watermark")
    yield resigned(
        "wraps", "ManifestCarriesKeys", "wraps, though there are none", "wraps", wraps=[]
    )
    yield refused(
        "unknown-key",
        "ManifestKeyUnknown",
        "a key that is none of ours, with a good signature",
        canonical(signed(said, "manifest-ffffffffffff")),
        "key",
    )
    forged = "ManifestForged"
    yield refused(
        "changed",
        forged,
        "retention was changed afterwards",
        good.replace(b"2036-11", b"2027-11"),
        "signature",
    )
    yield refused(
        "added",
        forged,
        "a member was added afterwards",
        canonical({**signed(said), "manifest": {**said, "note": 1}}),
        "signature",
    )
    yield refused(
        "signed-by-another",
        forged,
        "it names one key and is signed by another of ours",
        canonical(signed(said, SIGNER, RETIRED)),
        "signature",
    )
    envelope = signed(said)
    yield refused(
        "signature-changed",
        forged,
        "a bit of the signature",
        canonical(
            {**envelope, "signature": flipped(bytes.fromhex(envelope["signature"]), 0).hex()}
        ),
        "signature",
    )
    yield refused(
        "signature-short",
        forged,
        "half a signature",
        canonical({**envelope, "signature": "00" * 32}),
        "signature",
    )
    yield refused(
        "signature-upper-case",
        forged,
        "the same signature in capitals",
        canonical({**envelope, "signature": envelope["signature"].upper()}),
        "signature",
    )
    bare = Ed25519PrivateKey.from_private_bytes(fixed(f"private key of {SIGNER}"))
    yield refused(
        "no-label",
        forged,
        "signed without the label, as another protocol might have",
        canonical({**envelope, "signature": bare.sign(canonical(said)).hex()}),
        "signature",
    )
    yield resigned(
        "critical",
        "ManifestCriticalUnknown",
        "it says that a member must be understood which nobody knows",
        "critical",
        critical=["watermark"],
        watermark=1,
    )
    missing = a_manifest()
    del missing["gaps"]
    yield refused(
        "member-missing", malformed, "no gaps, not even none", canonical(signed(missing)), "gaps"
    )
    yield resigned("mode", malformed, "a mode that nobody knows", "mode", mode="private")
    yield resigned(
        "id-upper-case", malformed, "an id in capitals", "meeting", meeting=MEETING.upper()
    )
    yield resigned(
        "time-zone",
        malformed,
        "a time that is not UTC",
        "ended_at",
        ended_at="2026-11-21T13:05:00+01:00",
    )
    yield resigned(
        "truth-for-number",
        malformed,
        "true is not 1",
        "policy",
        policy={**said["policy"], "version": True},
    )
    wrapped = copy.deepcopy(said["objects"])
    wrapped[0]["wrapped_key"] = "00"
    yield resigned(
        "wrapped-key",
        "ManifestCarriesKeys",
        "a wrapped key: under Object Lock it could never be shredded",
        "objects",
        objects=wrapped,
    )
    yield resigned(
        "data-key",
        "ManifestCarriesKeys",
        "a data key, deep inside",
        "later",
        later=[{"a": [{"data_key": ""}]}],
    )
    yield refused(
        "after-retirement",
        "ManifestKeyRetired",
        "made after its key was retired",
        canonical(signed(said, RETIRED)),
        "made_at",
    )
    yield refused(
        "from-another-recording",
        "ManifestFromAnotherRecording",
        "a good manifest of another recording",
        canonical(signed(a_manifest(recording=ANOTHER_RECORDING))),
        "recording",
    )
    yield refused(
        "from-another-organisation",
        "ManifestFromAnotherRecording",
        "a good manifest of another hospital",
        canonical(signed(a_manifest(organisation=CLINIC))),
        "organisation",
    )
    yield resigned(
        "consent-digest",
        "ConsentMismatch",
        "consents that are not those the films were made under",
        "consent_digest",
        consent_digest=fixed("other consents").hex(),
    )
    yield resigned(
        "object-twice",
        malformed,
        "one object listed twice",
        "objects",
        objects=said["objects"][:1] * 2,
    )
    odd = copy.deepcopy(said["objects"])
    odd[0]["bytes"] += 1
    yield resigned("sizes", malformed, "sizes that do not fit each other", "objects", objects=odd)


# -------------------------------------------------------------------------------- whole recordings


def recording_case(
    said: dict[str, Any], storage: dict[str, bytes], keys: list[str] | None = None
) -> Case:
    return {
        **manifest_case(canonical(signed(said))),
        "kind": "recording",
        "storage_base64": {name: base64_of(data) for name, data in storage.items()},
        "data_keys": {
            name: key_of(name).hex() for name in ([ID_A, ID_B] if keys is None else keys)
        },
    }


def friendly_recordings() -> Iterator[Case]:
    said = a_manifest()
    yield {
        "name": "recording-visit",
        "shows": "a manifest and its two films",
        **recording_case(said, films(said)),
        "opened": {name: seen(data) for name, data in FILMS.items()},
    }
    yield {
        "name": "recording-without-keys",
        "shows": "who may not look can still see that all is there and unchanged",
        **recording_case(said, films(said), keys=[]),
        "opened": dict.fromkeys(FILMS),
    }


def hostile_recordings() -> Iterator[Case]:
    said = a_manifest()
    good = films(said)

    def refused(name: str, outcome: str, shows: str, where: dict[str, Any], case: Case) -> Case:
        return {
            "name": f"recording-{name}",
            "outcome": outcome,
            "where": where,
            "shows": shows,
            **case,
        }

    yield refused(
        "object-missing",
        "ObjectMissing",
        "a film is gone",
        {"object": ID_B},
        recording_case(said, {ID_A: good[ID_A]}),
    )
    stray = an_id("a stray film")
    yield refused(
        "object-unlisted",
        "ObjectUnlisted",
        "a film that the manifest does not know",
        {"object": stray},
        recording_case(said, {**good, stray: good[ID_A]}),
    )
    yield refused(
        "objects-swapped",
        "ObjectMisplaced",
        "the two films changed places",
        {"object": ID_A},
        recording_case(said, {ID_A: good[ID_B], ID_B: good[ID_A]}),
    )
    earlier = stored_object(
        FILMS[ID_B], ID_B, consents=bytes.fromhex(said["consent_digest"]), salt="earlier"
    )
    yield refused(
        "object-made-again",
        "ObjectReplaced",
        "an earlier version of the film from the bucket's history",
        {"object": ID_B},
        recording_case(said, {**good, ID_B: earlier}),
    )
    yield refused(
        "damage-without-keys",
        "ObjectReplaced",
        "a changed bit is found without any key",
        {"object": ID_A},
        recording_case(said, {**good, ID_A: flipped(good[ID_A], 5_000)}, keys=[]),
    )
    yield refused(
        "damage",
        "ObjectTampered",
        "a changed bit is found in its chunk",
        {"object": ID_A, "chunk": 1},
        recording_case(said, {**good, ID_A: flipped(good[ID_A], -20)}),
    )
    wrong = copy.deepcopy(said["objects"])
    wrong[1]["sha256"] = fixed("something else").hex()
    yield refused(
        "digest",
        "ObjectReplaced",
        "the manifest has another digest than the film",
        {"object": ID_B},
        recording_case({**said, "objects": wrong}, good),
    )
    longer = copy.deepcopy(said["objects"])
    longer[1].update(plaintext_bytes=100, bytes=object_size(100))
    yield refused(
        "length",
        "ObjectReplaced",
        "the manifest has another length than the film",
        {"object": ID_B},
        recording_case({**said, "objects": longer}, good),
    )
    yield refused(
        "mode",
        "ProtectionMismatch",
        "governed films under a manifest that says sealed",
        {"object": ID_A},
        recording_case({**a_manifest(mode="sealed"), "objects": said["objects"]}, good),
    )
    other = a_manifest(attestations=[])
    yield refused(
        "other-consents",
        "ConsentMismatch",
        "a manifest with other attestations than the films were made under",
        {"object": ID_A},
        recording_case({**other, "objects": said["objects"]}, good),
    )


# ------------------------------------------------------------------------------------------- files


def cases() -> Iterator[Case]:
    """All of them, each with its outcome on top."""
    friendly = [friendly_segments, friendly_objects, friendly_manifests, friendly_recordings]
    hostile = [hostile_segments, hostile_objects, hostile_manifests, hostile_recordings]
    for made in friendly:
        for case in made():
            yield {"name": case.pop("name"), "outcome": "opened", "where": {}, **case}
    for made in hostile:
        yield from made()


def written(case: Case) -> str:
    return json.dumps(case, indent=1, ensure_ascii=True) + "\n"


def main() -> None:
    for old in HERE.glob("*.json"):
        old.unlink()
    for case in cases():
        (HERE / f"{case['name']}.json").write_text(written(case))


if __name__ == "__main__":
    main()
