"""Mail by SMTP to a server that proves who it is: by the operator's authority, if there is one."""

from __future__ import annotations

import ssl

from django.conf import settings
from django.core.mail.backends import smtp
from django.utils.functional import cached_property


class VerifiedSmtp(smtp.EmailBackend):
    """Django's, but for whom it trusts."""

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=settings.AUTHORITY)
