"""The one place where the worker reaches into aiortc and aioice, and the releases it knows.

``install`` puts the worker's classes where aiortc looks its own up. That works only while the names
below mean what they mean in these releases, so any other release is refused at start:

* ``aiortc.rtcpeerconnection``: RTCRtpReceiver, RTCRtpSender, RTCDtlsTransport, RTCSctpTransport,
  RTCCertificate, looked up when a transceiver or a connection is made;
* ``aiortc.rtcicetransport.Connection``, looked up when a connection is made, and
  ``aioice.ice.get_host_addresses``, looked up when it gathers candidates;
* ``aiortc.codecs.CODECS`` and ``HEADER_EXTENSIONS``, copied into every offer and answer;
* the private attributes listed at the top of ``guard``, ``transport``, ``receiver``, ``sender``
  and ``data``.
"""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Sequence

import aiortc
from aioice import ice
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    rtcicetransport,
    rtcpeerconnection,
)
from aiortc.codecs import CODECS, HEADER_EXTENSIONS, is_rtx
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpHeaderExtensionParameters

from media_worker import congestion, data, guard, receiver, sender, transport
from media_worker.ports import Ports

KNOWN_RELEASES = {"aiortc": "1.16.0", "aioice": "0.13.0"}


class ReleaseUnknown(RuntimeError):
    """aiortc or aioice is of a release whose insides this worker does not know."""


def require_known_releases() -> None:
    """Raises ReleaseUnknown unless aiortc and aioice are the releases this was written for."""
    found = {name: importlib.metadata.version(name) for name in KNOWN_RELEASES}
    if found != KNOWN_RELEASES or aiortc.__version__ != KNOWN_RELEASES["aiortc"]:
        raise ReleaseUnknown(f"needs {KNOWN_RELEASES}, found {found}")


def install(addresses: Sequence[str], ports: range | None = None) -> None:
    """Makes every peer connection of this process the worker's kind. Call once, at start."""
    require_known_releases()
    own = list(addresses)

    def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return own

    guard.GuardedConnection.policy = guard.AddressPolicy(own)
    guard.GuardedConnection.ports = Ports(ports)
    for module, name, replacement in (
        (ice, "get_host_addresses", host_addresses),
        (rtcicetransport, "Connection", guard.GuardedConnection),
        (rtcpeerconnection, "RTCCertificate", transport.WorkerCertificate),
        (rtcpeerconnection, "RTCDtlsTransport", transport.AeadTransport),
        (rtcpeerconnection, "RTCSctpTransport", data.BoundedSctp),
        (rtcpeerconnection, "RTCRtpReceiver", receiver.ForwardingReceiver),
        (rtcpeerconnection, "RTCRtpSender", sender.ForwardingSender),
    ):
        if not hasattr(module, name):
            raise ReleaseUnknown(f"{module.__name__} has no {name}")
        setattr(module, name, replacement)
    _keep_only_opus_and_vp8()
    _speak_transport_wide_feedback()
    transport.WorkerCertificate.generateCertificate()
    # aioice writes people's addresses at INFO, aiortc whole descriptions at DEBUG.
    for name in ("aiortc", "aioice"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def peer_connection() -> RTCPeerConnection:
    """A new connection: one transport for everything, and no STUN server of anybody's."""
    return RTCPeerConnection(
        RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    )


def _keep_only_opus_and_vp8() -> None:
    CODECS["audio"][:] = [codec for codec in CODECS["audio"] if codec.mimeType == "audio/opus"]
    for codec in CODECS["audio"]:
        # In-band FEC lets a lost packet be recovered from the next one; aiortc forgets to offer it.
        codec.parameters = {"minptime": 10, "useinbandfec": 1}
    vp8 = next(codec for codec in CODECS["video"] if codec.mimeType == "video/VP8")
    CODECS["video"][:] = [
        codec
        for codec in CODECS["video"]
        if codec is vp8 or (is_rtx(codec) and codec.parameters.get("apt") == vp8.payloadType)
    ]


def _speak_transport_wide_feedback() -> None:
    """Offered to those who publish; ``subscribe`` takes it out of its offers again."""
    for kind in ("audio", "video"):
        for codec in CODECS[kind]:
            if not is_rtx(codec):
                codec.rtcpFeedback.append(RTCRtcpFeedback(type="transport-cc"))
        # 1 to 3 are taken by aiortc's own, and the numbers are shared across m-lines.
        HEADER_EXTENSIONS[kind].append(RTCRtpHeaderExtensionParameters(id=4, uri=congestion.URI))
