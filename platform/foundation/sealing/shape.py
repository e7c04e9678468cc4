"""What the members of a manifest look like: the table of FORMAT.md section 4, as types and checks.

Values stay as JSON has them: texts, numbers, lists. Members that are not in the table are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, TypedDict

Reason = Literal["lost", "behind", "paused", "withdrawn", "spool", "away"]
SourceName = Literal["camera", "microphone", "screen"]


class Policy(TypedDict):
    id: str
    version: int
    sha256: str
    delete_after: str


class Consent(TypedDict):
    place: str
    text: str
    text_sha256: str
    given_at: str
    withdrawn_at: str | None


class Attestation(TypedDict):
    by: str
    at: str
    others: int


class RunEntry(TypedDict):
    run: str
    segments: int
    head: str
    finished: bool


class GapEntry(TypedDict):
    from_ms: int
    to_ms: int
    object: str | None
    reason: Reason


class ObjectEntry(TypedDict):
    object: str
    place: str
    sources: list[SourceName]
    starts_ms: int
    plaintext_bytes: int
    bytes: int
    sha256: str
    key_commitment: str


class Manifest(TypedDict):
    """What is signed. Younger writers may have put in more."""

    format: Literal["consilium/manifest"]
    version: Literal[1]
    critical: list[str]
    organisation: str
    recording: str
    meeting: str
    mode: Literal["governed", "sealed"]
    made_at: str
    started_at: str
    ended_at: str
    policy: Policy
    consents: list[Consent]
    attestations: list[Attestation]
    consent_digest: str
    runs: list[RunEntry]
    gaps: list[GapEntry]
    objects: list[ObjectEntry]


Check = Callable[[Any], bool]


def _matching(pattern: str) -> Check:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


def _object_of(**members: Check) -> Check:
    return lambda value: (
        isinstance(value, dict)
        and all(name in value and check(value[name]) for name, check in members.items())
    )


def _is_number(value: Any) -> bool:
    """Whether it is an integer; a truth value is one to Python."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _are_sources(value: Any) -> bool:
    named = _list_of(_one_of("camera", "microphone", "screen"))
    return named(value) and bool(value) and value == sorted(set(value))


_id = _matching(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_digest = _matching(r"[0-9a-f]{64}")

is_time = _matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
is_signature = _matching(r"[0-9a-f]{128}")

#: In the order of the table, which is the order of checks. ``format`` and ``version`` come before.
MEMBERS: dict[str, Check] = {
    "critical": _list_of(_is_text),
    "organisation": _id,
    "recording": _id,
    "meeting": _id,
    "mode": _one_of("governed", "sealed"),
    "made_at": is_time,
    "started_at": is_time,
    "ended_at": is_time,
    "policy": _object_of(id=_is_text, version=_is_number, sha256=_digest, delete_after=is_time),
    "consents": _list_of(
        _object_of(
            place=_id,
            text=_is_text,
            text_sha256=_digest,
            given_at=is_time,
            withdrawn_at=_or_null(is_time),
        )
    ),
    "attestations": _list_of(_object_of(by=_id, at=is_time, others=_is_number)),
    "consent_digest": _digest,
    "runs": _list_of(_object_of(run=_id, segments=_is_number, head=_digest, finished=_is_truth)),
    "gaps": _list_of(
        _object_of(
            from_ms=_is_number,
            to_ms=_is_number,
            object=_or_null(_id),
            reason=_one_of("lost", "behind", "paused", "withdrawn", "spool", "away"),
        )
    ),
    "objects": _list_of(
        _object_of(
            object=_id,
            place=_id,
            sources=_are_sources,
            starts_ms=_is_number,
            plaintext_bytes=_is_number,
            bytes=_is_number,
            sha256=_digest,
            key_commitment=_digest,
        )
    ),
}
