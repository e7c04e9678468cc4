"""Something slow that goes on beside the tests."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Meanwhile:
    """Something slow that goes on beside the tests; ``result`` waits for it."""

    call: Any
    _found: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found.append((self.call(), None))
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._found.append((None, error))

    def result(self, seconds: float = 30) -> Any:
        self._thread.join(seconds)
        assert self._found, "it takes too long"
        value, error = self._found[0]
        if error is not None:
            raise error
        return value
