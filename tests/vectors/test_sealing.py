"""The vectors of FORMAT.md come out as they say, read by a reader that knows the prose alone.

The product's own code has to pass the same files; these tests are about the files themselves.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
import rfc8785
from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag

from tests.vectors.sealing import make, reader

FOLDER = Path(make.__file__).parent
FORMAT = FOLDER.parents[2] / "platform" / "foundation" / "sealing" / "FORMAT.md"
FILES = sorted(FOLDER.glob("*.json"))
CASES = {file.stem: json.loads(file.read_text()) for file in FILES}
HOSTILE = {name: case for name, case in CASES.items() if case["outcome"] != "opened"}
FRIENDLY = {name: case for name, case in CASES.items() if case["outcome"] == "opened"}


@pytest.mark.parametrize("name", CASES)
def test_a_vector_comes_out_as_it_says(name):
    assert reader.judge(CASES[name]) is None


def test_the_files_are_exactly_what_the_script_makes():
    made = {f"{case['name']}.json": make.written(case) for case in make.cases()}
    assert {file.name for file in FILES} == set(made)
    assert [file.name for file in FILES if file.read_text() != made[file.name]] == []


def test_hostile_vectors_outnumber_friendly_ones():
    assert len(HOSTILE) >= 40
    assert len(HOSTILE) >= 3 * len(FRIENDLY) >= 3


def test_every_error_of_the_format_has_a_vector_and_every_vector_an_error_of_the_format():
    section = FORMAT.read_text().split("\n## 7. Errors\n")[1].split("\n## 8.")[0]
    names = section.split("\n\n")[1]
    assert {case["outcome"] for case in HOSTILE.values()} == set(re.findall(r"`(\w+)`", names))


@pytest.mark.parametrize("name", CASES)
def test_a_vector_has_its_outcome_on_top_and_says_what_it_shows(name):
    assert list(CASES[name])[:4] == ["name", "outcome", "where", "shows"]
    assert CASES[name]["name"] == name
    assert len(CASES[name]["shows"]) > 5


WHOLE = [name for name, case in CASES.items() if case["kind"] == "object" and "range" not in case]


def by_the_library(case):
    """What another implementation of the chunked encryption makes of what follows the header."""
    data = base64.b64decode(case["bytes_base64"])
    context = b"consilium/object/1\0" + data[:100]
    decryptor = Cobblestone256Decryptor(bytes.fromhex(case["data_key"]), context)
    return decryptor.update(data[100:]) + decryptor.finalize()


@pytest.mark.parametrize("name", [name for name in WHOLE if name in FRIENDLY])
def test_after_its_header_an_object_is_a_message_that_the_library_reads(name):
    plaintext = by_the_library(FRIENDLY[name])
    assert len(plaintext) == FRIENDLY[name]["opened"]["bytes"]
    assert reader.digest(plaintext).hex() == FRIENDLY[name]["opened"]["sha256"]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in WHOLE
        if HOSTILE.get(name, {}).get("outcome") in {"ObjectTampered", "WrongKey"}
    ],
)
def test_what_breaks_the_encryption_the_library_refuses_too(name):
    with pytest.raises(InvalidTag):
        by_the_library(HOSTILE[name])


@pytest.mark.parametrize(
    "name", [name for name, case in FRIENDLY.items() if "manifest_base64" in case]
)
def test_a_manifest_is_canonical_by_another_implementation(name):
    data = base64.b64decode(FRIENDLY[name]["manifest_base64"])
    assert rfc8785.dumps(json.loads(data)) == data


def test_an_error_says_where_and_repeats_nothing_that_was_read():
    for case in HOSTILE.values():
        with pytest.raises(reader.Refused) as refused:
            reader.read_case(case)
        assert str(refused.value) == case["outcome"]
        assert set(refused.value.where) <= {"run", "sequence", "object", "chunk", "member"}
