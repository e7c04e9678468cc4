"""A Django process on an installation's data, for what no door of it allows."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.servers.installation import Installation
from tests.servers.processes import REPOSITORY
from tests.servers.server import PYTHON

_BACK_ROOM = """
import json, sys, traceback
names = {}
for line in sys.stdin:
    try:
        names["answer"] = None
        exec(json.loads(line), names)
        told = {"answer": names["answer"]}
    except BaseException:
        told = {"error": traceback.format_exc()}
    print("BACK-ROOM " + json.dumps(told, default=str), flush=True)
"""


class BackRoom:
    """A Django process on the installation's data that does what it is told: moves a clock, signs
    what the platform would not. It serves nobody and has no relay."""

    def __init__(self, installation: Installation) -> None:
        self._process = subprocess.Popen(
            [PYTHON, REPOSITORY / "manage.py", "shell", "-c", _BACK_ROOM],
            env=installation.environment,
            cwd=installation.directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, code: str, **values: Any) -> Any:
        """Run ``code``; returns what it assigned to ``answer``. ``values`` are JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        given = "".join(f"{name} = json.loads({json.dumps(v)!r})\n" for name, v in values.items())
        self._process.stdin.write(json.dumps("import json\n" + given + code) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("BACK-ROOM "):
                told = json.loads(line.removeprefix("BACK-ROOM "))
                assert "error" not in told, told["error"]
                return told["answer"]
        raise AssertionError("the back room is gone")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def leave(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
