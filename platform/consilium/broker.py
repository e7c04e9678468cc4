"""Celery's broker without a server: files in a folder, each of them whole as soon as it is seen.

Kombu's transport opens a message under its final name and fills it afterwards. A worker that looked
in between took an empty message for a broken one and ended. Here a message gets its name once it is
written.
"""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Kombu's, but for how a message is put."""

    # Kombu's own classes disagree about the name of the second argument.
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        # The name as kombu reads it: its order in time, and behind the first dot its queue.
        name = f"{monotonic_ns() // 1_000_000}_{uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        unfinished = folder / f"{name}.unfinished"
        unfinished.write_text(dumps(payload), encoding="utf-8")
        os.replace(unfinished, folder / name)


class Transport(filesystem.Transport):
    Channel = Channel
