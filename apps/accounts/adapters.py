"""What allauth asks us: nobody signs up by themselves, and TOTP secrets are sealed."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Person
from vault import sealing

_TOTP_LABEL = "mfa.authenticator.data"


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Staff are invited; there is no sign-up."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("home")

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """The username is the keyed index of the e-mail and is never made up."""


class MfaAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return sealing.seal(None, _TOTP_LABEL, text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.open_sealed(_TOTP_LABEL, encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Consilium"

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return str(user.email) if isinstance(user, Person) else ""
