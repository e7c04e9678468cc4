"""A broker that takes the connection and says nothing is given up, and the task stays owed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from outbox.relay import DELIVERY_SECONDS
from tests.servers.processes import REPOSITORY

SEND = """
import asyncio, time
import django
django.setup()
from consilium.delivery import to_celery

began = time.monotonic()
try:
    asyncio.run(to_celery({"name": "outbox.sweep", "args": []}))
except Exception as error:
    print(type(error).__name__, time.monotonic() - began)
"""


def test_a_broker_that_says_nothing_is_given_up_before_the_claim_lapses(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes the connection
        port = silent.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-c", SEND],
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{REPOSITORY / 'platform'}:{REPOSITORY / 'apps'}:{REPOSITORY}",
                "DJANGO_SETTINGS_MODULE": "consilium.settings",
                "CONSILIUM_DATA": str(tmp_path),
                "REDIS_URL": f"redis://127.0.0.1:{port}/0",
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
    [name, seconds] = result.stdout.split()
    assert name == "OperationalError"
    assert float(seconds) < DELIVERY_SECONDS
