"""The product reads every vector of FORMAT.md as the vector says: outcome, place and contents."""

from __future__ import annotations

import base64
import hashlib
import re
from uuid import UUID

import pytest

from foundation.sealing import errors, manifest, reading, records, stored, whole
from tests.foundation.sealing.words import as_said
from tests.vectors.test_sealing import CASES, FORMAT, HOSTILE

unhex, un64 = bytes.fromhex, base64.b64decode


def segments(case):
    storage = {(UUID(s["run"]), s["sequence"]): un64(s["bytes_base64"]) for s in case["storage"]}

    def fetch(run, sequence, most):
        held = storage.get((run, sequence))
        return None if held is None else held[:most]

    reader = reading.SegmentsReader(
        organisation=UUID(case["organisation"]),
        recording=UUID(case["recording"]),
        protection=records.Protection(case["protection"]),
        private_key=unhex(case["private_key"]),
        roll=[(UUID(run["run"]), [unhex(d) for d in run["digests"]]) for run in case["roll"]],
        fetch=fetch,
        present=lambda: storage,
    )
    opened = list(reader)
    return [
        {
            "run": run["run"],
            "finished": UUID(run["run"]) not in reader.unfinished,
            "segments": [
                {"sequence": one.sequence, "records": [as_said(r) for r in one.records]}
                for one in opened
                if str(one.run) == run["run"]
            ],
        }
        for run in case["roll"]
    ]


def one_object(case):
    data = un64(case["bytes_base64"])
    wanted = stored.Wanted(
        *(UUID(case[name]) for name in ("organisation", "recording", "object")),
        consent_digest=unhex(case["consent_digest"]),
        protection=records.Protection(case["protection"]),
        key_commitment=unhex(case["key_commitment"]),
    )
    reader = stored.ObjectReader(wanted, lambda i, j: data[i:j], unhex(case["data_key"]))
    if "range" in case:
        return summary(b"".join(reader.read(*case["range"])))
    pieces = []
    assert reader.whole(pieces.append) == hashlib.sha256(data).digest()
    return summary(b"".join(pieces))


def one_manifest(case):
    keys = {
        name: manifest.ManifestKey(unhex(key["public"]), key["retired_at"])
        for name, key in case["manifest_keys"].items()
    }
    return manifest.read(
        un64(case["manifest_base64"]), UUID(case["organisation"]), UUID(case["recording"]), keys
    )


def recording(case):
    said = one_manifest(case)
    storage = {UUID(name): un64(data) for name, data in case["storage_base64"].items()}
    data_keys = {UUID(name): unhex(key) for name, key in case["data_keys"].items()}
    films = dict.fromkeys(data_keys, b"")

    def give(name, piece):
        films[name] += piece

    whole.verify_recording(said, storage, lambda name, i, j: storage[name][i:j], data_keys, give)
    return {str(name): summary(films[name]) if name in films else None for name in storage}


def summary(plaintext):
    return {"bytes": len(plaintext), "sha256": hashlib.sha256(plaintext).hexdigest()}


READERS = {
    "segments": segments,
    "object": one_object,
    "manifest": one_manifest,
    "recording": recording,
}


@pytest.mark.parametrize("name", CASES)
def test_the_product_reads_a_vector_as_it_says(name):
    case = CASES[name]
    try:
        happened = ("opened", READERS[case["kind"]](case))
    except errors.Refused as refused:
        happened = (refused.name, refused.where)
    expected = case["opened"] if case["outcome"] == "opened" else case["where"]
    assert happened == (case["outcome"], expected)


def test_the_products_errors_are_those_of_the_format():
    section = FORMAT.read_text().split("\n## 7. Errors\n")[1].split("\n## 8.")[0]
    named = set(re.findall(r"`(\w+)`", section.split("\n\n")[1]))
    assert {kind.__name__ for kind in errors.Refused.__subclasses__()} == named


def test_an_error_says_its_name_and_place_and_no_contents():
    for case in HOSTILE.values():
        with pytest.raises(errors.Refused) as refused:
            READERS[case["kind"]](case)
        said = [case["outcome"], *(f"{place}={value}" for place, value in case["where"].items())]
        assert str(refused.value) == " ".join(said)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__ or refused.value.__context__ is None
