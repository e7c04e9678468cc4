"""Three readers of manifests that share no line say the same of whatever they are given."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.sealing import manifest
from foundation.sealing.errors import Refused
from tests.vectors.sealing import reader
from tests.vectors.test_sealing import CASES

OPENER = Path(__file__).resolve().parents[2] / "deploy" / "opener" / "open_recording.py"
spec = importlib.util.spec_from_file_location("open_recording", OPENER)
opener = importlib.util.module_from_spec(spec)
spec.loader.exec_module(opener)

VISIT = CASES["manifest-visit"]["opened"]
ASKED = {name: VISIT[name] for name in ("organisation", "recording")}
SIGNER = Ed25519PrivateKey.generate()
PUBLIC = SIGNER.public_key().public_bytes_raw()
RETIRED = "2026-12-01T00:00:00Z"


def by_the_product(data):
    keys = {"test": manifest.ManifestKey(PUBLIC, RETIRED)}
    try:
        return "opened", manifest.read(data, *map(UUID, ASKED.values()), keys)
    except Refused as refused:
        return "refused", str(refused)


def by_the_page(data):
    keys = {"test": reader.ManifestKey(PUBLIC, RETIRED)}
    try:
        return "opened", reader.read_manifest(*ASKED.values(), keys, data)
    except reader.Refused as refused:
        where = (f"{place}={value}" for place, value in refused.where.items())
        return "refused", " ".join([refused.name, *where])


def by_the_opener(data):
    keys = {"test": opener.ManifestKey(PUBLIC, RETIRED)}
    try:
        return "opened", opener.read_manifest(data, keys, ASKED)
    except opener.Refused as refused:
        return "refused", str(refused)


def agreed(data):
    """What all three say."""
    said = by_the_page(data)
    assert by_the_product(data) == said
    assert by_the_opener(data) == said
    return said


def signed(said):
    signature = SIGNER.sign(b"consilium/manifest/1\0" + reader.canonical(said)).hex()
    return reader.canonical({"key": "test", "manifest": said, "signature": signature})


def places(value, path=()):
    """Where something stands in a manifest: every member and every item."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in inner:
        yield (*path, name)
        if isinstance(part, dict | list):
            yield from places(part, (*path, name))


def with_another(path, change):
    said = copy.deepcopy(VISIT)
    at = said
    for name in path[:-1]:
        at = at[name]
    change(at, path[-1])
    # So that what comes after is reached when consents change.
    if path[0] in {"attestations", "consents"}:
        lists = {name: said.get(name) for name in ("attestations", "consents")}
        label = b"consilium/consents/1\0"
        said["consent_digest"] = reader.digest(label + reader.canonical(lists)).hex()
    return said


OTHERS = [None, True, 0, 7, "", "x", "lost", [], {}, ["x"], "0" * 64, "A" * 64, RETIRED]


@pytest.mark.parametrize("path", [*places(VISIT)], ids=lambda path: ".".join(map(str, path)))
def test_of_every_member_another_value_is_judged_alike(path):
    outcomes = set()
    for value in OTHERS:
        said = with_another(path, lambda at, name, value=value: at.__setitem__(name, value))
        outcomes.add(agreed(signed(said))[0])
    assert "refused" in outcomes


@pytest.mark.parametrize(
    "path",
    [path for path in places(VISIT) if isinstance(path[-1], str)],
    ids=lambda path: ".".join(map(str, path)),
)
def test_without_any_member_a_manifest_is_refused_alike(path):
    said = with_another(path, lambda at, name: at.pop(name))
    outcome, why = agreed(signed(said))
    assert outcome == "refused"
    assert why.endswith(f"member={path[0]}")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_bytes_that_were_changed_are_refused_alike(chosen):
    data = bytearray(signed(VISIT))
    for _ in range(chosen.draw(st.integers(1, 3))):
        start = chosen.draw(st.integers(0, len(data)))
        end = chosen.draw(st.integers(start, min(start + 3, len(data))))
        data[start:end] = chosen.draw(st.binary(max_size=3) | st.sampled_from([b"{", b"]", b"\\"]))
    agreed(bytes(data))


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 2**54) | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=5) | st.just("wrap"), inner, max_size=3)
        ),
    )
)
def test_members_nobody_knows_are_judged_alike(more):
    import json

    said = {**VISIT, "more": more}
    signature = SIGNER.sign(b"consilium/manifest/1\0" + json.dumps(said).encode()).hex()
    envelope = {"key": "test", "manifest": said, "signature": signature}
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    agreed(text.encode(errors="surrogatepass"))
    try:
        agreed(signed(said))
    except UnicodeEncodeError:
        assert any("\ud800" <= character <= "\udfff" for character in text)
