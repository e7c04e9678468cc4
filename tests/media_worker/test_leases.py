"""Which leases count."""

from __future__ import annotations

import base64
import json
import time
import uuid
import warnings
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey

from foundation.wire.worker import LEASE_AUDIENCE, LeaseKey
from media_worker.clock import Clock
from media_worker.leases import LeaseBook, LeaseRefused
from tests.media_worker.harness import private_jwk

warnings.simplefilter("ignore", SecurityWarning)

WORKER = uuid.uuid4()
KEY = Ed25519PrivateKey.generate()
OTHER_KEY = Ed25519PrivateKey.generate()


def announced(kid: str, key: Ed25519PrivateKey) -> LeaseKey:
    x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return LeaseKey(kid=kid, x=x)


@pytest.fixture
def book() -> LeaseBook:
    clock = Clock()
    clock.tell(time.time())
    one = LeaseBook(WORKER, clock)
    one.replace_keys([announced("a", KEY)])
    return one


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {
        "aud": LEASE_AUDIENCE,
        "jti": "1",
        "iat": now,
        "exp": now + 60,
        "worker": str(WORKER),
        "room": str(uuid.uuid4()),
        "participant": str(uuid.uuid4()),
        "epoch": 3,
        "mode": "governed",
        "relay_only": True,
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def token(
    key: Ed25519PrivateKey = KEY, kid: str = "a", header: dict[str, str] | None = None, **c: Any
) -> str:
    return jwt.encode(
        {"alg": "Ed25519", "kid": kid} | (header or {}), claims(**c), private_jwk(key), ["Ed25519"]
    )


def refusal(book: LeaseBook, text: str) -> str:
    with pytest.raises(LeaseRefused) as caught:
        book.verify(text)
    return str(caught.value)


def test_a_good_lease_counts(book: LeaseBook) -> None:
    found = book.verify(token())
    assert (found.epoch, found.relay_only, found.worker) == (3, True, WORKER)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "consilium:media-link"}, "audience"),
        ({"aud": None}, "claims"),
        ({"worker": str(uuid.uuid4())}, "another worker"),
        ({"worker": "me"}, "claims"),
        ({"exp": -1}, "expired"),
        ({"exp": None}, "claims"),
        ({"exp": "soon"}, "claims"),
        ({"iat": 300}, "not yet valid"),
        ({"epoch": -1}, "claims"),
        ({"epoch": 1.5}, "claims"),
        ({"mode": "private"}, "claims"),
        ({"relay_only": None}, "claims"),
        ({"admin": True}, "claims"),
        ({"room": "lobby"}, "claims"),
    ],
)
def test_other_claims_do_not(book: LeaseBook, changes: dict[str, Any], reason: str) -> None:
    # Times are seconds from now: this table was read when the run began, perhaps minutes ago.
    now = int(time.time())
    changes = {
        claim: now + value if claim in ("exp", "iat") and isinstance(value, int) else value
        for claim, value in changes.items()
    }
    assert refusal(book, token(**changes)) == reason


def test_a_lease_signed_by_another_does_not_count(book: LeaseBook) -> None:
    assert refusal(book, token(OTHER_KEY)) == "signature"
    assert refusal(book, token(OTHER_KEY, "b")) == "unknown key"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_lease_does_not_count(book: LeaseBook, part: int) -> None:
    parts = token().split(".")
    middle = len(parts[part]) // 2
    swapped = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + swapped + parts[part][middle + 1 :]
    assert refusal(book, ".".join(parts))


def _unsigned(header: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims())}."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "..",
        "a.b.c",
        "é.é.é",
        _unsigned({"alg": "none", "kid": "a"}),
        _unsigned({"alg": "Ed25519", "kid": "a"}),
        _unsigned({"alg": "Ed25519"}),
        _unsigned({"alg": "Ed25519", "kid": ["a"]}),
        _unsigned({"alg": "Ed25519", "kid": "a", "crit": ["x"], "x": 1}),
        _unsigned({}),
    ],
)
def test_what_is_no_signed_token_does_not_count(book: LeaseBook, text: str) -> None:
    assert refusal(book, text)


def test_the_public_key_is_no_shared_secret(book: LeaseBook) -> None:
    secret = OctKey.import_key(KEY.public_key().public_bytes_raw())
    forged = jwt.encode({"alg": "HS256", "kid": "a"}, claims(), secret, ["HS256"])
    assert refusal(book, forged) == "algorithm"


def test_a_key_in_the_header_is_not_believed(book: LeaseBook) -> None:
    parts = token(OTHER_KEY).split(".")
    header = {"alg": "Ed25519", "kid": "a", "jwk": private_jwk(OTHER_KEY).as_dict(private=False)}
    parts[0] = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    assert refusal(book, ".".join(parts)) in {"signature", "malformed"}


def test_keys_are_replaced_as_a_whole(book: LeaseBook) -> None:
    book.replace_keys([announced("b", OTHER_KEY)])
    assert book.verify(token(OTHER_KEY, "b"))
    assert refusal(book, token()) == "unknown key"


@pytest.mark.parametrize("x", ["", "AAAA", "é", "A" * 44, "!" * 43])
def test_a_key_that_is_none_is_refused(book: LeaseBook, x: str) -> None:
    with pytest.raises(LeaseRefused, match="key"):
        book.replace_keys([LeaseKey(kid="c", x=x)])
    assert book.verify(token())
