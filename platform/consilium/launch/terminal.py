"""The terminal somebody started us from: whoever closes it means to stop."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable


def when_closed(descriptor: int, call: Callable[[], None]) -> None:
    """``call()`` once in the running event loop when the terminal at ``descriptor`` has gone.

    SIGHUP alone is not enough: the kernel sends it to the leader of the session, and when that is
    ``make`` (a terminal window or ``ssh`` that runs this one command), it waits for its children
    and tells them nothing. Anything but a terminal is left alone.
    """
    if not os.isatty(descriptor):
        return
    loop = asyncio.get_running_loop()
    gone = select.epoll()
    gone.register(descriptor, 0)  # no event asked for: what remains is the hang-up

    def closed() -> None:
        loop.remove_reader(gone.fileno())
        gone.close()
        call()

    loop.add_reader(gone.fileno(), closed)
