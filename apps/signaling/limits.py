"""What one socket may do before anything of it is understood (N5)."""

from __future__ import annotations

import time

#: Messages per second in the long run. A call's busiest second is the trickle of candidates.
RATE_PER_SECOND = 40.0

#: Messages at once. Both peer connections of a call and their candidates stay below half of it.
BURST = 160

#: Messages waiting for their handler. A page never has more than a burst under way.
QUEUE_LENGTH = 200

#: From the handshake to ``hello``: an idle socket costs a stranger nothing and us a descriptor.
HELLO_SECONDS = 10.0

#: A page pings every 5 s. After three missed pings the socket is a half-open one.
SILENCE_SECONDS = 15.0

PING_SECONDS = 5

#: Between two readings of the room by one socket. Somebody who comes makes four hints in a moment;
#: reading each for everybody would hold up the messages of their media.
READING_SECONDS = 0.2


class Bucket:
    """A token bucket: ``take`` is false when more came than rate and burst allow."""

    def __init__(self, rate: float = RATE_PER_SECOND, burst: float = BURST) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
