"""Tokens: signed by us, for this purpose, by this algorithm, unchanged; else they are refused."""

from __future__ import annotations

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from vault import signing
from vault.models import SigningKey
from vault.signing import TokenRefused

TICKET, LEASE = SigningKey.Purpose.TICKET, SigningKey.Purpose.LEASE
CLAIMS = {"aud": "test", "n": 1}

pytestmark = [pytest.mark.usefixtures("cast"), pytest.mark.filterwarnings("ignore")]


def b64(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def kid_of(purpose: SigningKey.Purpose) -> str:
    return SigningKey.objects.get(purpose=purpose).kid


def test_what_we_signed_is_ours():
    assert signing.verify(TICKET, signing.sign(TICKET, CLAIMS)) == CLAIMS


def test_a_token_for_one_purpose_is_none_for_another():
    with pytest.raises(TokenRefused):
        signing.verify(LEASE, signing.sign(TICKET, CLAIMS))
    with pytest.raises(TokenRefused):
        signing.verify(TICKET, signing.sign(LEASE, CLAIMS))


def test_every_changed_character_is_noticed():
    token = signing.sign(TICKET, CLAIMS)
    header, payload, signature = token.split(".")
    # The last character of a part may hold bits that count for nothing.
    for at in [
        *range(len(header) + len(payload)),
        *range(len(token) - len(signature), len(token) - 1),
    ]:
        if token[at] == ".":
            continue
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(TokenRefused):
            signing.verify(TICKET, changed)


def test_other_claims_under_the_same_signature_are_refused():
    header, _, signature = signing.sign(TICKET, CLAIMS).split(".")
    with pytest.raises(TokenRefused):
        signing.verify(TICKET, f"{header}.{b64({**CLAIMS, 'n': 2})}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_an_unsigned_token_is_refused(algorithm):
    for signature in ("", b64(b"x" * 64)):
        head = b64({"alg": algorithm, "kid": kid_of(TICKET)})
        with pytest.raises(TokenRefused):
            signing.verify(TICKET, f"{head}.{b64(CLAIMS)}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_secret_to_sign_with(algorithm):
    row = SigningKey.objects.get(purpose=TICKET)
    for secret in (row.public.encode(), base64.urlsafe_b64decode(row.public + "=")):
        key = OctKey.import_key(secret)
        token = jwt.encode({"alg": algorithm, "kid": row.kid}, CLAIMS, key, algorithms=[algorithm])
        with pytest.raises(TokenRefused):
            signing.verify(TICKET, token)


def test_a_key_of_somebody_else_is_refused_whatever_it_calls_itself():
    stranger = OKPKey.generate_key("Ed25519")
    for kid in (kid_of(TICKET), kid_of(LEASE), "unknown", "../../etc/passwd", ""):
        token = jwt.encode({"alg": "Ed25519", "kid": kid}, CLAIMS, stranger, algorithms=["Ed25519"])
        with pytest.raises(TokenRefused):
            signing.verify(TICKET, token)


def test_a_key_that_the_token_brings_along_is_not_trusted():
    stranger = OKPKey.generate_key("Ed25519")
    public = stranger.as_dict(private=False)
    for header in (
        {"alg": "Ed25519", "jwk": public},
        {"alg": "Ed25519", "jwk": public, "kid": kid_of(TICKET)},
        {"alg": "Ed25519", "jku": "https://evil.test/keys", "kid": kid_of(TICKET)},
    ):
        signed = f"{b64(header)}.{b64(CLAIMS)}"
        private = stranger.private_key.sign(signed.encode())
        with pytest.raises(TokenRefused):
            signing.verify(TICKET, f"{signed}.{b64(private)}")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "a.b.c.d.e",
        "\0.\0.\0",
        "ünïcode.ünïcode.ünïcode",
        "\ud800.\ud800.\ud800",
        f"{b64([])}.{b64({})}.AA",
        f"{b64('text')}.{b64({})}.AA",
        f"{b64({'alg': 7})}.{b64({})}.AA",
        f"{b64({'alg': 'EdDSA', 'crit': ['x'], 'x': 1})}.{b64({})}.AA",
        f"{b64({'alg': 'EdDSA', 'kid': 7})}.{b64({})}.AA",
        f"{b64({'alg': 'EdDSA', 'kid': ['x']})}.{b64({})}.AA",
        f"{b64({'kid': 'x'})}.{b64({})}.AA",
        f"{b64(b'[' * 1400)}.{b64({})}.AA",
        f"{b64(b'{' * 1400)}.{b64({})}.AA",
    ],
)
def test_garbage_is_refused(token):
    with pytest.raises(TokenRefused):
        signing.verify(TICKET, token)


def test_after_rotation_the_newest_signs_and_the_older_still_verifies():
    old = signing.sign(TICKET, CLAIMS)
    kid = signing.make_signing_key(TICKET)
    new = signing.sign(TICKET, CLAIMS)
    assert json.loads(base64.urlsafe_b64decode(new.split(".")[0] + "=="))["kid"] == kid
    assert signing.verify(TICKET, old) == signing.verify(TICKET, new) == CLAIMS
    assert len(signing.public_keys(TICKET)) == 2


def test_private_keys_are_sealed():
    row = SigningKey.objects.get(purpose=TICKET)
    assert row.private_sealed.startswith("s1.")


def test_what_is_handed_to_workers_is_public_only():
    ((kid, x),) = signing.public_keys(LEASE)
    row = SigningKey.objects.get(purpose=LEASE)
    assert (kid, x) == (row.kid, row.public)
