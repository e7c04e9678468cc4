"""SCTP that holds little for a participant, whatever they send.

aiortc advertises a receive window and does not enforce it, keeps fragments without bound, and lets
an assertion end the DTLS session.

Relies on aiortc 1.16.0: ``RTCSctpTransport._handle_data``, ``_receive_data_chunk``,
``_advertised_rwnd``, ``_inbound_streams``, ``_sack_misordered``.
"""

from __future__ import annotations

import logging
from typing import Any

from aiortc.rtcsctptransport import DataChunk, RTCSctpTransport

LOG = logging.getLogger("media_worker.data")

#: Bytes of unfinished messages: several of the longest chat messages.
MAX_UNFINISHED_BYTES = 131_072

#: Chunks of unfinished messages, and chunks that came out of order.
MAX_UNFINISHED_CHUNKS = 256

#: Streams somebody may use; one data channel is one.
MAX_STREAMS = 4


class BoundedSctp(RTCSctpTransport):
    """An association that drops what exceeds its bounds, as if the network had lost it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._advertised_rwnd = MAX_UNFINISHED_BYTES

    async def _handle_data(self, data: bytes) -> None:
        try:
            await super()._handle_data(data)
        except Exception as error:  # noqa: BLE001 - aiortc asserts what a participant may break
            LOG.debug("an SCTP packet was dropped: %s", type(error).__name__)

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        streams = self._inbound_streams
        unfinished = sum(len(stream.reassembly) for stream in streams.values())
        if (
            (chunk.stream_id not in streams and len(streams) >= MAX_STREAMS)
            or len(chunk.user_data) > self._advertised_rwnd
            or unfinished >= MAX_UNFINISHED_CHUNKS
            or len(self._sack_misordered) >= MAX_UNFINISHED_CHUNKS
        ):
            return
        await super()._receive_data_chunk(chunk)
