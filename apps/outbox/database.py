"""Database work from the event loop: a fixed pool of threads, each keeping its connection.

A thread of its own for each call would open the database anew every time; one thread for all
would let one slow query hold up every socket of the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from django.db import close_old_connections

T = TypeVar("T")

#: More threads than the database does at once only wait for it; fewer let a lock of one hold up
#: the others.
THREADS = 8

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="database")


async def in_database(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """``call(*args, **kwargs)`` on a thread that may use the database; its result or its error."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool, partial(_with_good_connection, call, *args, **kwargs))


def wait_for_database(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """The same for code that cannot await. It holds up an event loop, so only to begin with."""
    return _pool.submit(partial(_with_good_connection, call, *args, **kwargs)).result()


def _with_good_connection(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    # Django does this around requests; here nobody else does. A connection that a restart of the
    # database broke is replaced, one that is too old is closed.
    close_old_connections()
    try:
        return call(*args, **kwargs)
    finally:
        close_old_connections()
