"""One peer connection to one browser: what ``publish`` and ``subscribe`` have in common.

It watches the connection's state, gives it a limited time to come up, and hands it only candidates
that the address policy, the lease and a cap allow.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from aiortc import RTCPeerConnection
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.sdp import candidate_from_sdp

from foundation.wire import sdp
from foundation.wire.browser import Link
from media_worker import stock
from media_worker.guard import GuardedConnection

LOG = logging.getLogger("media_worker.path")

State = Literal["connected", "failed", "refused"]

#: From the first description to DTLS. Trickled candidates over a slow mobile link and a TURN relay
#: over TLS have been seen to take six seconds; a person gives up at about twenty.
CONNECT_SECONDS = 20.0


class DescriptionRefused(ValueError):
    """aiortc could not make anything of a description that looked right."""


class MediaPath:
    """One peer connection. ``on_state`` hears of it becoming connected or failed, once each."""

    link: Link

    def __init__(self, relay_only: bool, on_state: Callable[[Link, State], None]) -> None:
        self.connection: RTCPeerConnection = stock.peer_connection()
        self.is_up = asyncio.Event()
        self._relay_only = relay_only
        self._on_state = on_state
        self._candidates = 0
        self._early: list[str] = []
        self._closed = False
        self._deadline: asyncio.TimerHandle | None = None
        self.connection.add_listener("connectionstatechange", self._state_changed)

    # ---------------------------------------------------------------- candidates

    async def add_candidate(self, line: str) -> None:
        """Takes a browser's candidate; those that come before the description wait for it."""
        if self._candidates >= sdp.MAX_CANDIDATES:
            return
        self._candidates += 1
        if self.connection.remoteDescription is None:
            self._early.append(line)
        else:
            await self._try_candidate(line)

    async def _take_candidates(self, lines: list[str]) -> None:
        """Those of a description that has just been set, then those that came before it."""
        early, self._early = self._early, []
        for line in lines:
            await self.add_candidate(line)
        for line in early:
            await self._try_candidate(line)

    async def _try_candidate(self, line: str) -> None:
        cleaned = sdp.check_candidate(line, self._relay_only)
        if cleaned is None or self._closed:
            return
        candidate = candidate_from_sdp(cleaned.removeprefix("candidate:"))
        # prflx is learned, never told. TCP candidates cannot be reached from UDP sockets.
        if candidate.type == "prflx" or candidate.protocol.lower() != "udp":
            return
        if candidate.component != 1 or not candidate.port:
            return
        if GuardedConnection.policy.allows(candidate.ip):
            await self._ice.addRemoteCandidate(candidate)

    @property
    def _ice(self) -> RTCIceTransport:
        """The transport of everything: all m-lines are bundled."""
        return self.connection.getTransceivers()[0].receiver.transport.transport

    # ---------------------------------------------------------------- life

    def _start_deadline(self) -> None:
        if self._deadline is None and not self.is_up.is_set():
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(CONNECT_SECONDS, self._fail)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def _state_changed(self) -> None:
        state = self.connection.connectionState
        if self._closed:
            return
        if state == "connected" and not self.is_up.is_set():
            self._stop_deadline()
            self.is_up.set()
            self._on_state(self.link, "connected")
        elif state in {"failed", "closed"}:
            self._fail()

    def _fail(self) -> None:
        if not self._closed:
            self._on_state(self.link, "failed")

    async def close(self) -> None:
        """Ends the connection; nothing is heard of it any more."""
        self._closed = True
        self._stop_deadline()
        await self.connection.close()
