"""Session descriptions and ICE candidates of strangers, checked before anything acts on them.

Pure text in, pure text out: nothing here parses SDP for use, it only decides whether a description
has the one shape Consilium speaks and removes what must not travel on. The server checks with it
before it relays, the media worker again before aiortc sees a byte: aiortc accepts 400 m-lines and
sends a connectivity check to every candidate it is given.

Every function raises ``SdpRefused`` with a stable reason, and nothing else, whatever the text is.
What is returned is what may be passed on.

``text`` makes lines and sections of it, ``shape`` says what every section must have, ``candidates``
which candidates are any good and ``addresses`` where packets may go, ``rewriting`` takes out what
must not travel on, and ``descriptions`` has one check for each description that is spoken.

Sources: RFC 8866 (SDP), RFC 8839 (ICE in SDP), RFC 8122 (fingerprints), RFC 9143 (BUNDLE),
RFC 8829 (JSEP), RFC 8827 section 6.5 (DTLS-SRTP only).
"""

from __future__ import annotations

from foundation.wire.sdp.candidates import (
    MAX_CANDIDATES,
    check_candidate,
    leads_to_a_machine,
)
from foundation.wire.sdp.descriptions import (
    PUBLISH_SHAPE,
    check_answer,
    check_peer_description,
    check_publish_offer,
)
from foundation.wire.sdp.rewriting import relay_candidates_only, without_candidates
from foundation.wire.sdp.text import SdpRefused

__all__ = [
    "MAX_CANDIDATES",
    "PUBLISH_SHAPE",
    "SdpRefused",
    "check_answer",
    "check_candidate",
    "check_peer_description",
    "check_publish_offer",
    "leads_to_a_machine",
    "relay_candidates_only",
    "without_candidates",
]
