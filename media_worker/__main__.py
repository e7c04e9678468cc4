"""``python -m media_worker``: enrols if needed, links to the platform, forwards until SIGTERM.

Ends with 0 after SIGTERM or SIGINT, with 1 if it could not start; the last line says why.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import Any

from foundation.private_memory import keep_memory_private
from media_worker import stock
from media_worker.identity import EnrolmentFailed, Identity, load_or_enrol
from media_worker.link import Link
from media_worker.recorder.spool import Spool
from media_worker.settings import Settings, SettingsWrong, from_environment

LOG = logging.getLogger("media_worker")

#: Everything must be closed by then; an orchestrator kills at 10 s, people reconnect at once.
STOP_SECONDS = 2.5


def main() -> int:
    """Runs the worker; returns its exit code."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    for name in ("asyncio", "websockets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # A core dump would hold what people said, and the session keys of the call.
    keep_memory_private()
    try:
        settings = from_environment(os.environ)
        stock.install(settings.addresses, settings.ports)
        identity = load_or_enrol(settings)
        spool = Spool(settings.spool, settings.spool_bytes)
    except (SettingsWrong, stock.ReleaseUnknown, EnrolmentFailed, OSError) as error:
        LOG.error("%s", error)
        return 1
    asyncio.run(_serve(settings, identity, spool))
    return 0


async def _serve(settings: Settings, identity: Identity, spool: Spool) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_by_type)
    stopping = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopping.set)
    link = Link(settings, identity, spool)
    running = asyncio.create_task(link.run())
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
    LOG.info("stopping")
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await link.recorders.close()
            running.cancel()
            await link.rooms.close()
            await asyncio.gather(running, return_exceptions=True)
    except TimeoutError:
        LOG.warning("some connections did not close in time")


def _log_by_type(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs what nobody caught by its type alone: its text may hold an address or an SDP."""
    error = context.get("exception")
    LOG.warning("unexpected: %s", type(error).__name__ if error is not None else "no exception")


if __name__ == "__main__":
    sys.exit(main())
