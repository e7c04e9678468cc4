"""What allauth asks us: nobody signs up by themselves, and TOTP secrets are sealed."""

from __future__ import annotations

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import sign_in_trail
from accounts.models import Person
from vault import sealing

_TOTP_LABEL = "mfa.authenticator.data"


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # allauth takes our e-mail index for a username and would speak of one.
        "username_password_mismatch": _("The e-mail address or the password is not right."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Staff are invited; there is no sign-up."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("home")

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """The username is the keyed index of the e-mail and is never made up."""

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """With its entry on the trail, or not at all."""
        with transaction.atomic():
            super().set_password(user, password)
            sign_in_trail.password_changed(user)

    def validation_error(self, error_key: str, *args: Any) -> ValidationError:
        """Allauth's throttles of passwords and codes say so here and nowhere else."""
        if error_key == "too_many_login_attempts":
            sign_in_trail.throttled(context.request)
        error: ValidationError = super().validation_error(error_key, *args)
        return error

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever signed in a moment ago has just shown who they are.

        allauth counts only what was typed again after the sign-in.
        """
        request = context.request
        records = get_authentication_records(request, request.user)
        if records and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))


class MfaAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return sealing.seal(None, _TOTP_LABEL, text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.open_sealed(_TOTP_LABEL, encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Consilium"

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return str(user.email) if isinstance(user, Person) else ""
