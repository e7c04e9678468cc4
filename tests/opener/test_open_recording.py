"""The stand-alone opener, as a process that finds ``cryptography`` and nothing else of others."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors.sealing import make, reader
from tests.vectors.test_sealing import CASES

REPOSITORY = Path(__file__).resolve().parents[2]
OPENER = REPOSITORY / "deploy" / "opener" / "open_recording.py"

#: Runs the opener as a script and then says what it has imported from outside the standard library.
ISOLATED = """
import atexit, runpy, sys
sys.path.append(sys.argv[1])
script, sys.argv = sys.argv[2], sys.argv[2:]
confession = sys.argv.pop()
def confess():
    found = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names
    with open(confession, "w") as file:
        print(*sorted(found), file=file)
atexit.register(confess)
runpy.run_path(script, run_name="__main__")
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    """A folder with ``cryptography`` and what it is built upon."""
    folder = tmp_path_factory.mktemp("packages")
    installed = Path(importlib.util.find_spec("cryptography").origin).parents[1]
    for path in [installed / "cryptography", *installed.glob("_cffi_backend*")]:
        (folder / path.name).symlink_to(path)
    return folder


@dataclass
class Answer:
    status: int
    lines: dict[str, str]
    errors: str


@pytest.fixture
def ask(packages, tmp_path):
    """Writes a recording into files, runs the opener on them, and gives its answer."""

    def asked(case, *more, keys=True, opens=True) -> Answer:
        arguments = ["--manifest", str(tmp_path / "m.json")]
        (tmp_path / "m.json").write_bytes(base64.b64decode(case["manifest_base64"]))
        for name, key in case["manifest_keys"].items():
            retired = f"@{key['retired_at']}" if key["retired_at"] else ""
            arguments += ["--manifest-key", f"{name}={key['public']}{retired}"]
        for name in ("organisation", "recording"):
            arguments += [f"--{name}", case[name]]
        for folder in ("objects", "out"):
            (tmp_path / folder).mkdir(exist_ok=True)
        for name, data in case.get("storage_base64", {}).items():
            (tmp_path / "objects" / f"{name}.bin").write_bytes(base64.b64decode(data))
        arguments += ["--objects", str(tmp_path / "objects")]
        if keys:
            (tmp_path / "keys.json").write_text(json.dumps(case.get("data_keys", {})))
            arguments += ["--keys", str(tmp_path / "keys.json")]
        if opens:
            arguments += ["--out", str(tmp_path / "out")]
        ran = run(packages, tmp_path, [*arguments, *more])
        lines = dict(line.split("\t") for line in ran.stdout.splitlines())
        return Answer(ran.returncode, lines, ran.stderr)

    return asked


def command(packages, tmp_path, arguments, first=""):
    """``first``: what happens to the process before the opener begins."""
    confession = str(tmp_path / "imported")
    isolated = [sys.executable, "-I", "-S", "-c", first + ISOLATED, str(packages), str(OPENER)]
    return [*isolated, *arguments, confession]


def run(packages, tmp_path, arguments):
    ran = subprocess.run(
        command(packages, tmp_path, arguments),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    imported = set((tmp_path / "imported").read_text().split())
    assert imported <= {"__main__", "cryptography", "_cffi_backend", "_openssl"}
    return ran


def films(tmp_path):
    """What was written, and that nothing else is left."""
    return {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def said_of(case):
    """The line that a hostile vector must get: about what, and what is said."""
    where = dict(case["where"])
    about = where.pop("object", "manifest")
    return about, " ".join([case["outcome"], *(f"{k}={v}" for k, v in where.items())])


def of_kind(kind):
    return [name for name, case in CASES.items() if case["kind"] == kind]


@pytest.mark.parametrize("name", of_kind("manifest"))
def test_a_manifest_is_verified_or_refused_as_the_vector_says(ask, tmp_path, name):
    case = CASES[name]
    answer = ask(case, keys=False)
    assert answer.status == 1  # there are no objects here, so all is never well
    if case["outcome"] == "opened":
        assert answer.lines.pop("manifest").startswith(f"verified: recording {case['recording']}")
        missing = {entry["object"]: "ObjectMissing" for entry in case["opened"]["objects"]}
        assert answer.lines == missing
    else:
        assert answer.lines == dict([said_of(case)])
    assert films(tmp_path) == {}


@pytest.mark.parametrize("name", of_kind("recording"))
def test_a_recording_is_opened_or_refused_as_the_vector_says(ask, tmp_path, name):
    case = CASES[name]
    answer = ask(case, keys=bool(case["data_keys"]))
    assert answer.lines["manifest"].startswith("verified")
    if case["outcome"] == "opened":
        assert answer.status == 0
        written = {
            file.removesuffix(".webm"): {
                "bytes": len(film),
                "sha256": hashlib.sha256(film).hexdigest(),
            }
            for file, film in films(tmp_path).items()
        }
        expected = {name: film for name, film in case["opened"].items() if film is not None}
        assert written == expected
    else:
        assert answer.status == 1
        about, said = said_of(case)
        found = answer.lines.get(about) or answer.lines.get(f"{about}.bin")
        assert found == said
        assert f"{about}.webm" not in films(tmp_path)


def hostile_and_friendly_objects():
    """The vectors of objects, made anew under the consents of a manifest that can be signed.

    Their own consent digest is that of nothing, so that no manifest could list them.
    """
    spec = importlib.util.spec_from_file_location("make_for_the_opener", make.__file__)
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    visit = CASES["manifest-visit"]["opened"]
    for function in (again.stored_object, again.object_case):
        function.__kwdefaults__["consents"] = bytes.fromhex(visit["consent_digest"])
    for case in [*again.hostile_objects(), *again.friendly_objects()]:
        if "range" in case:  # the opener reads whole objects
            continue
        if case["consent_digest"] != visit["consent_digest"]:
            # Made under consents of no manifest, with a header that was changed to fit one.
            data = base64.b64decode(CASES[case["name"]]["bytes_base64"])
            fitting = make.changed(data, 60, bytes.fromhex(visit["consent_digest"]))
            case["bytes_base64"] = make.base64_of(fitting)
            case["key_commitment"] = fitting[124:156].hex()
        yield case["name"], {"outcome": "opened", "where": {}, **case}


OBJECTS = dict(hostile_and_friendly_objects())
SIGNER = Ed25519PrivateKey.generate()


def recording_of(case):
    """A recording of one object, as a signed manifest lists it."""
    data = base64.b64decode(case["bytes_base64"])
    plaintext_bytes = case["opened"]["bytes"] if case["outcome"] == "opened" else 99
    visit = CASES["manifest-visit"]["opened"]
    entry = {
        **visit["objects"][0],
        "object": case["object"],
        "plaintext_bytes": plaintext_bytes,
        "bytes": reader.object_size(plaintext_bytes),
        "sha256": hashlib.sha256(data).hexdigest(),
        "key_commitment": case["key_commitment"],
    }
    mode = "sealed" if case["protection"] else "governed"
    said = {**visit, "mode": mode, "objects": [entry]}
    signature = SIGNER.sign(b"consilium/manifest/1\0" + reader.canonical(said)).hex()
    signed = reader.canonical({"key": "test", "manifest": said, "signature": signature})
    return {
        "organisation": visit["organisation"],
        "recording": visit["recording"],
        "manifest_keys": {
            "test": {"public": SIGNER.public_key().public_bytes_raw().hex(), "retired_at": None}
        },
        "manifest_base64": base64.b64encode(signed).decode(),
        "storage_base64": {case["object"]: case["bytes_base64"]},
        "data_keys": {case["object"]: case["data_key"]},
    }


def test_the_vectors_of_objects_were_made_anew_without_loss():
    whole = {name for name in of_kind("object") if "range" not in CASES[name]}
    assert set(OBJECTS) == whole
    for name, case in OBJECTS.items():
        assert case["outcome"] == CASES[name]["outcome"]
        assert case["where"] == CASES[name]["where"]


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_opened_or_refused_as_the_vector_says(ask, tmp_path, name):
    case = OBJECTS[name]
    answer = ask(recording_of(case))
    if case["outcome"] == "opened":
        assert answer.status == 0
        (film,) = films(tmp_path).values()
        assert hashlib.sha256(film).hexdigest() == case["opened"]["sha256"]
    else:
        assert answer.status == 1
        about, said = said_of(case)
        assert answer.lines[about] == said
        assert films(tmp_path) == {}


VISIT = CASES["recording-visit"]


def test_one_damaged_object_does_not_keep_the_others_from_being_opened(ask, tmp_path):
    first, second = VISIT["storage_base64"]
    data = bytearray(base64.b64decode(VISIT["storage_base64"][first]))
    data[-1] ^= 1
    storage = {**VISIT["storage_base64"], first: base64.b64encode(data).decode()}
    answer = ask({**VISIT, "storage_base64": storage})
    assert answer.status == 1
    assert re.fullmatch(r"ObjectTampered chunk=\d+", answer.lines[first])
    assert answer.lines[second] == f"opened: {second}.webm"
    assert set(films(tmp_path)) == {f"{second}.webm"}


def test_an_object_without_a_key_is_checked_and_said_not_to_be_opened(ask, tmp_path):
    first, second = VISIT["data_keys"]
    answer = ask({**VISIT, "data_keys": {first: VISIT["data_keys"][first]}})
    assert answer.status == 1
    assert answer.lines[second] == "unchanged, not opened: no key for it"
    assert set(films(tmp_path)) == {f"{first}.webm"}


def test_with_keys_and_without_a_folder_everything_is_opened_and_nothing_written(ask, tmp_path):
    answer = ask(VISIT, opens=False)
    assert answer.status == 0
    assert {answer.lines[name] for name in VISIT["data_keys"]} == {"opened"}
    assert films(tmp_path) == {}


def test_a_file_that_is_not_listed_is_named_without_what_a_terminal_would_obey(ask, tmp_path):
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "\x1b[2Jnotes").write_text("")
    answer = ask(VISIT)
    assert answer.status == 1
    assert answer.lines["'\\x1b[2Jnotes'"] == "ObjectUnlisted"


def test_a_film_is_nobody_elses_to_read(ask, tmp_path):
    ask(VISIT)
    for path in (tmp_path / "out").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_there_already_is_not_written_over(ask, tmp_path):
    (tmp_path / "out").mkdir()
    there = tmp_path / "out" / f"{next(iter(VISIT['data_keys']))}.webm"
    there.write_bytes(b"mine")
    answer = ask(VISIT)
    assert answer.status == 2
    assert films(tmp_path) == {there.name: b"mine"}


KEY_ID, KEY = next(iter(VISIT["manifest_keys"].items()))


@pytest.mark.parametrize(
    "more",
    [
        ["--manifest-key", "without a key"],
        ["--manifest-key", f"another={KEY['public'][:-1]}"],
        ["--manifest-key", f"another={KEY['public']}@yesterday"],
        ["--manifest-key", f"{KEY_ID}={KEY['public']}"],
        ["--keys", __file__],
        ["--out", "nowhere"],
        ["--objects", "nowhere"],
        ["--manifest", "nowhere"],
    ],
    ids=lambda more: " ".join(more)[:40],
)
def test_what_can_not_be_used_is_said_before_anything_is_opened(ask, tmp_path, more):
    answer = ask(VISIT, *more)
    assert answer.status == 2
    assert answer.errors.startswith("open_recording: ")
    assert answer.lines == {}
    assert films(tmp_path) == {}


def test_no_data_key_is_ever_said(ask, tmp_path):
    wrong = dict.fromkeys(VISIT["data_keys"], "ab" * 31 + "zz")
    answer = ask({**VISIT, "data_keys": wrong})
    assert answer.status == 2
    assert "abab" not in answer.errors


def test_every_answer_is_explained():
    readme = OPENER.with_name("README.md").read_text()
    answers = {case["outcome"] for case in CASES.values() if case["kind"] != "segments"}
    answers -= {"opened", "RangeOutside"}  # it reads whole objects
    assert not {answer for answer in answers if answer not in readme}


LONG = 96 * 2**20


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory):
    """A recording of one film of 96 MiB, and the arguments to open it."""
    from uuid import UUID

    from foundation.sealing import manifest
    from foundation.sealing.records import Protection
    from foundation.sealing.stored import (
        ObjectHeader,
        ObjectWriter,
        generate_data_key,
        object_bytes,
    )

    folder = tmp_path_factory.mktemp("long")
    visit = CASES["manifest-visit"]["opened"]
    name = visit["objects"][0]["object"]
    header = ObjectHeader(
        UUID(visit["organisation"]),
        UUID(visit["recording"]),
        UUID(name),
        bytes.fromhex(visit["consent_digest"]),
        Protection.NONE,
        LONG,
    )
    key = generate_data_key()
    writer = ObjectWriter(header, key)
    (folder / "objects").mkdir()
    with (folder / "objects" / f"{name}.bin").open("wb") as file:
        file.write(writer.begin())
        for _ in range(LONG // 2**20):
            file.write(writer.write(bytes(2**20)))
        file.write(writer.finish())
    entry = {
        **visit["objects"][0],
        "plaintext_bytes": LONG,
        "bytes": object_bytes(LONG),
        "sha256": writer.sha256.hex(),
        "key_commitment": writer.commitment.hex(),
    }
    signed = manifest.sign({**visit, "objects": [entry]}, "test", SIGNER.private_bytes_raw())
    (folder / "m.json").write_bytes(signed)
    (folder / "keys.json").write_text(json.dumps({name: key.hex()}))
    arguments = ["--manifest", "m.json", "--objects", "objects", "--keys", "keys.json"]
    public = SIGNER.public_key().public_bytes_raw().hex()
    return folder, [*arguments, "--manifest-key", f"test={public}"]


def high_water_bytes(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def test_a_long_film_takes_little_memory(packages, long_recording, tmp_path):
    folder, arguments = long_recording
    process = subprocess.Popen(
        command(packages, tmp_path, [*arguments, "--out", str(tmp_path)]),
        cwd=folder,
        stdout=subprocess.PIPE,
    )
    most = 0
    while process.poll() is None:
        most = max(most, high_water_bytes(process))
    assert process.returncode == 0, process.communicate()
    process.communicate()
    (film,) = tmp_path.glob("*.webm")
    assert film.stat().st_size == LONG
    assert 10 * 2**20 < most < 48 * 2**20


#: The disk takes for ever to say that it has all of it.
SLOW_DISK = "import os, signal\nos.fsync = lambda _: signal.pause()\n"

#: The disk is full after a mebibyte.
FULL_DISK = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))\n"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_when_it_is_stopped_nothing_half_written_is_left(packages, long_recording, tmp_path, sent):
    folder, arguments = long_recording
    out = tmp_path / "out"
    out.mkdir()
    process = subprocess.Popen(
        command(packages, tmp_path, [*arguments, "--out", str(out)], first=SLOW_DISK),
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while [path.stat().st_size for path in out.iterdir()] != [LONG]:
        assert process.poll() is None
        assert time.monotonic() < deadline
    assert list(out.glob("*.webm")) == []
    os.kill(process.pid, sent)
    assert process.wait(timeout=60) == 1
    assert list(out.iterdir()) == []


def test_when_the_disk_is_full_nothing_half_written_is_left(packages, long_recording, tmp_path):
    folder, arguments = long_recording
    out = tmp_path / "out"
    out.mkdir()
    ran = subprocess.run(
        command(packages, tmp_path, [*arguments, "--out", str(out)], first=FULL_DISK),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "could not be read or written: File too large" in ran.stdout
    assert list(out.iterdir()) == []
