"""TURN credentials: time-limited, per person, naming nobody (coturn ``use-auth-secret``).

``username`` is ``expiry:random``, the password base64(HMAC-SHA1(secret, username)), as in
draft-uberti-behave-turn-rest-00. SHA-1 is the protocol's choice; as HMAC it is not broken.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from django.conf import settings

from audit.clock import database_now
from foundation.wire.browser import IceServer


def ice_servers() -> list[IceServer]:
    """Fresh servers for one peer connection; empty without a relay (then only direct paths)."""
    if not settings.TURN_URLS:
        return []
    expiry = int(database_now().timestamp()) + settings.TURN_SECONDS
    username = f"{expiry}:{secrets.token_hex(8)}"
    password = base64.b64encode(
        hmac.new(settings.TURN_SECRET.encode(), username.encode(), hashlib.sha1).digest()
    ).decode()
    return [IceServer(urls=list(settings.TURN_URLS), username=username, credential=password)]
