"""A server process of a test: its log kept, its end certain, nobody else's process touched."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from tests.servers.processes import ARTEFACTS, descendants, is_alive, wait_for

T = TypeVar("T")


def artefacts(name: str) -> Path:
    """The directory for logs and pictures of the test ``name``; made if it is not there."""
    directory = ARTEFACTS / re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


class Server:
    """One process and its log file.

    The kernel ends the process with the thread that started it (``setpriv --pdeathsig``), so a
    killed test run leaves nothing behind. Start servers from the main thread.
    """

    stop_seconds = 15.0

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def _launch(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start it; the log goes on where it was."""
        assert self._process is None, f"{self.name} runs already"
        self._log_began = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    @property
    def text(self) -> str:
        """What it has written since it was last started."""
        with self.log.open("rb") as log:
            log.seek(self._log_began)
            return log.read().decode(errors="replace")

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait_for_log(self, pattern: str, seconds: float = 10.0) -> re.Match[str]:
        """The first match of ``pattern`` in what it writes."""
        found = self._wait_while_running(
            lambda: re.search(pattern, self.text), repr(pattern), seconds
        )
        assert found
        return found

    def _wait_while_running(self, condition: Callable[[], T], what: str, seconds: float) -> T:
        """As ``wait_for``, but a server that ends shows its last words at once."""

        def answer() -> T:
            found = condition()
            assert found or self.is_running(), f"{self.name} ended:\n{self.text[-4000:]}"
            return found

        try:
            return wait_for(answer, f"{self.name}: {what}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text[-4000:]}") from None

    def kill(self) -> None:
        """SIGKILL, as if the machine had gone: for tests of what happens then."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM and wait; it and all it started are gone afterwards. Safe to repeat."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        left = {process.pid, *descendants(process.pid)}
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(timeout=self.stop_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{self.name} did not stop:\n{self.text[-4000:]}") from None
        wait_for(lambda: not any(map(is_alive, left)), f"{self.name}: the end of its processes")


def small_environment(**more: str) -> dict[str, str]:
    """What a server may know of the machine: nothing of the developer's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", **more}


PYTHON = Path(sys.executable)
