"""What is signed is what every reader accepts; nothing else can be signed."""

from __future__ import annotations

import copy
import json
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.sealing import manifest
from foundation.sealing.errors import (
    ManifestKeyRetired,
    ManifestMalformed,
    Refused,
    VersionUnsupported,
)
from tests.vectors.sealing import reader
from tests.vectors.test_sealing import FRIENDLY

VISIT = FRIENDLY["manifest-visit"]["opened"]
SIGNER = Ed25519PrivateKey.generate()
PRIVATE, PUBLIC = SIGNER.private_bytes_raw(), SIGNER.public_key().public_bytes_raw()
HOSPITAL, RECORDING = UUID(VISIT["organisation"]), UUID(VISIT["recording"])


def changed(**members):
    return {**copy.deepcopy(VISIT), **members}


def read(data, **key):
    keys = {"manifest-1": manifest.ManifestKey(PUBLIC, **key)}
    return manifest.read(data, HOSPITAL, RECORDING, keys)


def read_by_page(data):
    keys = {"manifest-1": reader.ManifestKey(PUBLIC, None)}
    return reader.read_manifest(str(HOSPITAL), str(RECORDING), keys, data)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = texts.filter(
    lambda name: name not in {*VISIT, "data_key", "private_key"} and not name.startswith("wrap")
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(names, anything, max_size=4))
def test_what_was_signed_is_read_by_both_readers_with_members_nobody_knows(more):
    said = changed(**more)
    data = manifest.sign(said, "manifest-1", PRIVATE)
    assert read(data) == read_by_page(data) == said


def test_a_consent_digest_is_of_both_lists():
    digest = manifest.consent_digest(VISIT["consents"], VISIT["attestations"])
    assert digest.hex() == VISIT["consent_digest"]
    assert manifest.consent_digest(VISIT["consents"], []) != digest
    assert manifest.consent_digest(VISIT["consents"][:1], VISIT["attestations"]) != digest


def deep(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


ENTRY = VISIT["objects"][0]
UNSIGNABLE = {
    "a member that carries a key": (changed(wrapped={}), "ManifestCarriesKeys member=wrapped"),
    "a key deep inside": (changed(more=[{"data_key": 1}]), "ManifestCarriesKeys member=more"),
    "something critical": (changed(critical=["more"]), "ManifestCriticalUnknown member=critical"),
    "a fraction": (changed(more=1.5), "ManifestMalformed"),
    "a negative number": (changed(more=-1), "ManifestMalformed"),
    "a number that is too large": (changed(more=2**53), None),
    "a lone surrogate": (changed(more="\ud800"), None),
    "too many levels": (changed(more=deep(15)), "ManifestMalformed"),
    "too many bytes": (changed(more="x" * 4_194_304), "ManifestMalformed"),
    "another version": (changed(version=2), "VersionUnsupported member=version"),
    "another format": (changed(format="something"), "ManifestMalformed member=format"),
    "a wrong consent digest": (
        changed(consent_digest="0" * 64),
        "ConsentMismatch member=consent_digest",
    ),
    "an object twice": (changed(objects=[ENTRY, ENTRY]), "ManifestMalformed member=objects"),
    "sizes that do not fit": (
        changed(objects=[{**ENTRY, "bytes": ENTRY["bytes"] + 1}]),
        "ManifestMalformed member=objects",
    ),
    "a time zone": (changed(made_at="2026-11-21T12:06:10+01:00"), "ManifestMalformed member=made"),
    "a tuple": (changed(objects=(ENTRY,)), "read as another"),
} | {
    f"no {name}": (
        {other: VISIT[other] for other in VISIT if other != name},
        f"member={name}",
    )
    for name in VISIT
}


@pytest.mark.parametrize("what", UNSIGNABLE)
def test_what_would_be_refused_is_not_signed(what):
    said, why = UNSIGNABLE[what]
    with pytest.raises(ValueError, match=why):
        manifest.sign(said, "manifest-1", PRIVATE)


def test_fifteen_levels_inside_are_signed_and_read():
    said = changed(more=deep(14))
    assert read(manifest.sign(said, "manifest-1", PRIVATE)) == said


def of_length(length):
    """An envelope that is ``length`` bytes long, and signed."""
    short = len(manifest.sign(changed(more=""), "manifest-1", PRIVATE))
    said = changed(more="x" * (length - short))
    signature = SIGNER.sign(b"consilium/manifest/1\0" + reader.canonical(said)).hex()
    return reader.canonical({"key": "manifest-1", "manifest": said, "signature": signature})


def test_four_mebibytes_are_read_and_one_byte_more_is_not():
    most = of_length(4_194_304)
    assert len(most) == 4_194_304
    assert read(most)["more"].startswith("x")
    with pytest.raises(ManifestMalformed):
        read(of_length(4_194_305))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 4_194_304,
        b'{"a":' * 800_000,
        b"1" * 4_194_304,
        b'"' + b"\\ud800" * 600_000 + b'"',
        b'{"key":' + b"9" * 4_000_000 + b"}",
    ],
    ids=["lists", "objects", "one number", "surrogates", "a number inside"],
)
def test_megabytes_of_nonsense_are_refused_quickly(data):
    with pytest.raises(ManifestMalformed):
        read(data)


def test_a_version_that_is_true_is_no_one():
    data = json.loads(manifest.sign(VISIT, "manifest-1", PRIVATE))
    data["manifest"]["version"] = True
    with pytest.raises(VersionUnsupported):
        read(reader.canonical(data))


def test_a_retired_key_verifies_what_it_signed_before():
    data = manifest.sign(VISIT, "manifest-1", PRIVATE)
    assert read(data, retired_at=VISIT["made_at"]) == VISIT
    with pytest.raises(ManifestKeyRetired):
        read(data, retired_at="2026-01-01T00:00:00Z")
    with pytest.raises(ValueError, match="YYYY"):
        manifest.ManifestKey(PUBLIC, retired_at="2026-01-01T00:00:00+00:00")


def test_every_single_byte_of_a_manifest_counts():
    data = manifest.sign(VISIT, "manifest-1", PRIVATE)
    for at in range(0, len(data), 7):
        with pytest.raises(Refused):
            read(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
