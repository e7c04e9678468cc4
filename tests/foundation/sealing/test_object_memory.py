"""However long a film is, storing it and reading it back takes a few megabytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PLATFORM = Path(__file__).resolve().parents[3] / "platform"

MEASURED = r'''
import re
from pathlib import Path
from uuid import uuid4
from foundation.sealing.records import Protection
from foundation.sealing.stored import *

SIZE = 200 * 2**20
header = ObjectHeader(uuid4(), uuid4(), uuid4(), bytes(32), Protection.NONE, SIZE)
key = generate_data_key()
writer = ObjectWriter(header, key)

def film():
    for _ in range(SIZE // 2**17):
        yield bytes(2**17)

def stored():
    yield writer.begin()
    for piece in film():
        yield writer.write(piece)
    yield writer.finish()

pieces, held = stored(), b""

def fetch(start, end):
    """The stored object as it is made: a reader to the end asks for one part after the other."""
    global held
    if end > object_bytes(SIZE):
        return b"x"
    while len(held) < end - start:
        held += next(pieces)
    given, held = held[: end - start], held[end - start :]
    return given

def peak_bytes():
    # Not getrusage: what it says is inherited from the process that started this one.
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])

wanted = Wanted(
    header.organisation, header.recording, header.object, bytes(32), Protection.NONE,
    writer.commitment,
)
before = peak_bytes()
reader = ObjectReader(wanted, fetch, key)
assert reader.verify() == writer.sha256
print(before, peak_bytes())
'''


def test_two_hundred_megabytes_are_stored_and_read_back_in_a_few():
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED],
        env={**os.environ, "PYTHONPATH": str(PLATFORM)},
        check=True,
        capture_output=True,
        text=True,
    )
    before, after = map(int, measured.stdout.split())
    assert after - before < 12 * 2**20
    assert after < 64 * 2**20
