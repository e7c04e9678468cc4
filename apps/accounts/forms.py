"""Sign-in by e-mail over a column that shows no e-mail."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm
from django import forms
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
