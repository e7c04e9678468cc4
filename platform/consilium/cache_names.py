"""Under which names the cache keeps things: throttles put into them whom they count.

Redis is another machine's memory; an address or an account in a name would be there for whoever
reads it. Who has the installation's secret finds the same name again, and nobody else reads it.
"""

from __future__ import annotations

from django.utils.crypto import salted_hmac


def hidden(name: str, prefix: str, version: int) -> str:
    """The name that the cache is given for ``name``: 64 hex digits (Django's ``KEY_FUNCTION``)."""
    return salted_hmac(__name__, f"{prefix}:{version}:{name}", algorithm="sha256").hexdigest()
