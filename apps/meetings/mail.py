"""Mails to guests, in their language and their hospital's time. They name no department and no
reason (N6).
"""

from __future__ import annotations

from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.zones import zone, zone_words
from meetings.actions.plan import InvitationToSend
from meetings.actions.verify import CodeToSend
from meetings.minting import Secret


def visit_url() -> str:
    """Where a short code is typed in."""
    return f"{settings.PUBLIC_URL}/visit/"


def link_of(secret: Secret) -> str:
    """The link that carries ``secret`` in its fragment, which browsers send to no server."""
    return f"{visit_url()}#{secret.text}"


def send_code(code: CodeToSend) -> None:
    """Raises ``OSError`` (``SMTPException`` is one) when the mail server does not take it."""
    with translation.override(code.language):
        _send(
            "code",
            code.contact,
            {"organisation": code.organisation_name, "code": code.code, "minutes": code.minutes},
        )


def send_invitation(invitation: InvitationToSend) -> None:
    """Raises like ``send_code``."""
    here = timezone.override(zone(invitation.time_zone))
    with translation.override(invitation.language), here:
        _send(
            "invitation",
            invitation.contact,
            {
                "organisation": invitation.organisation_name,
                "link": link_of(invitation.link_secret),
                "short_code": invitation.short_code.text,
                "starts_at": invitation.starts_at,
                "zone": zone_words(timezone.get_current_timezone_name()),
            },
        )


def _send(name: str, contact: str, context: dict[str, Any]) -> None:
    filled = {**context, "host": settings.PUBLIC_URL}
    subject = render_to_string(f"mail/{name}_subject.txt", filled).strip()
    sender = formataddr((context["organisation"], settings.DEFAULT_FROM_EMAIL))
    send_mail(subject, render_to_string(f"mail/{name}.txt", filled), sender, [contact])
