"""What holds keys or media is in no core dump, by the limit and by the kernel's mark."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: The programs, as each begins; ``main`` of two is stopped where its work would begin.
BEGINNINGS = {
    "celery and beat": "import consilium.celery",
    "web": """
from unittest.mock import patch
from consilium import web
with patch.object(web.CommandLineInterface, "entrypoint"):
    web.main()
""",
    "media worker": """
import os
os.environ["CONSILIUM_PLATFORM_URL"] = "nowhere"
from media_worker import __main__ as worker
assert worker.main() == 1
""",
    "supervisor": """
import os
os.environ["CONSILIUM_PORT"] = "nowhere"
from consilium import supervisor
assert supervisor.main([]) == 2
""",
}

ASK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
from foundation.private_memory import is_memory_private
before = is_memory_private()
{beginning}
assert not before, "somebody else did it"
assert is_memory_private()
"""


@pytest.mark.parametrize("name", BEGINNINGS)
def test_each_program_keeps_its_memory_private_before_it_reads_anything(name: str):
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(beginning=BEGINNINGS[name])],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
