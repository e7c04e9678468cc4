"""Sign-in by e-mail over a column that shows no e-mail, and by codes that serve once."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm, LoginForm
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from accounts.models import email_index


class SignInForm(LoginForm):
    """allauth's form, looking a person up by the keyed index of the address that was typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.EmailField(
            label=_("E-mail address"),
            widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
        )
        self.order_fields(["login", "password"])

    def user_credentials(self) -> dict[str, Any]:
        return {
            "username": email_index(self.cleaned_data["login"]),
            "password": self.cleaned_data["password"],
        }


class NewPasswordForm(ChangePasswordForm):
    """allauth's form, its labels written as everywhere else: "Password", not "New Password"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (
            ("oldpassword", _("Current password")),
            ("password1", _("New password")),
            ("password2", _("New password, once more")),
        ):
            self.fields[name].label = label


class _EachCodeOnce:
    """A code is taken once for as long as it is a code (RFC 6238, 5.2).

    allauth remembers one for 30 seconds, but with a step of tolerance on each side it holds for 90.
    """

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        taken: Authenticator = self.authenticator  # type: ignore[attr-defined]
        if taken.type == Authenticator.Type.TOTP:
            steps = 1 + 2 * app_settings.TOTP_TOLERANCE
            used = f"accounts.totp.used/{taken.user_id}/{normalize_user_code(code)}"
            if not cache.add(used, True, timeout=steps * app_settings.TOTP_PERIOD):
                self._emit_authentication_failed(taken)  # type: ignore[attr-defined]
                raise get_adapter().validation_error("incorrect_code")
        return code


class SecondFactorForm(_EachCodeOnce, AuthenticateForm):
    """At sign-in."""


class FreshSecondFactorForm(_EachCodeOnce, ReauthenticateForm):
    """Once more, before something that asks for it."""
