"""The UDP ports of this worker, for those who must open them in a firewall."""

from __future__ import annotations

import errno
import ipaddress
import random
import socket
from collections import deque


class NoPortFree(OSError):
    """Every port of the range is taken at an address of this worker."""


class Ports:
    """A range of ports, or without one whatever the kernel gives.

    They are tried in an order of chance; the one that was taken last is tried again last, so late
    packets for its earlier connection find nobody.
    """

    def __init__(self, allowed: range | None = None) -> None:
        # To the kernel, port 0 means any.
        self._order = deque(random.sample(allowed, len(allowed)) if allowed else [0])

    def bind(self, address: str) -> socket.socket:
        """A socket at ``address`` that does not block.

        Raises NoPortFree, or OSError if ``address`` is none of this machine's.
        """
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        one = socket.socket(family, socket.SOCK_DGRAM)
        one.setblocking(False)
        for _ in range(len(self._order)):
            port = self._order[0]
            self._order.rotate(-1)
            try:
                one.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    one.close()
                    raise
            else:
                return one
        one.close()
        raise NoPortFree
