"""Sealing stands on the standard library, ``cryptography`` and ``rfc8785``, and on no Django."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLATFORM = Path(__file__).resolve().parents[3] / "platform"

FOREIGN = """
import sys
before = set(sys.modules)
import {}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(loaded - sys.stdlib_module_names))
"""

PARTS = {
    "foundation.sealing.runs": {"cryptography", "foundation"},
    "foundation.sealing.reading": {"cryptography", "foundation"},
    "foundation.sealing.stored": {"cryptography", "foundation"},
    "foundation.sealing.manifest": {"cryptography", "foundation", "rfc8785"},
    "foundation.sealing.whole": {"cryptography", "foundation"},
}


@pytest.mark.parametrize("module", PARTS)
def test_a_part_imports_only_what_it_says(module):
    ran = subprocess.run(
        [sys.executable, "-c", FOREIGN.format(module)],
        env={**os.environ, "PYTHONPATH": str(PLATFORM)},
        check=True,
        capture_output=True,
        text=True,
    )
    within_cryptography = {"_cffi_backend", "_openssl"}
    assert set(ran.stdout.split()) - within_cryptography == PARTS[module]
