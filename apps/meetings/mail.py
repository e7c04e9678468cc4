"""Mails to guests. They name no department and no reason (N6)."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from meetings.actions.verify import CodeToSend


def send_code(code: CodeToSend) -> None:
    """Raises ``OSError`` (``SMTPException`` is one) when the mail server does not take it."""
    context = {
        "organisation": code.organisation_name,
        "code": code.code,
        "minutes": code.minutes,
        "host": settings.PUBLIC_URL,
    }
    subject = render_to_string("mail/code_subject.txt", context).strip()
    send_mail(subject, render_to_string("mail/code.txt", context), None, [code.contact])
