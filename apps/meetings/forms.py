"""The short form of a new meeting, and of one more guest."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from foundation.wire.browser import Mode
from meetings.actions.plan import NewGuest

MODE_CHOICES = {
    Mode.PRIVATE: _("Private: the two of you only, from browser to browser. Never recorded."),
    Mode.GOVERNED: _("Governed: up to four people, through your organisation's media server."),
}


class GuestForm(forms.Form):
    guest_name = forms.CharField(label=_("Patient's name"), max_length=120)
    guest_email = forms.EmailField(label=_("Patient's e-mail address"), max_length=254)

    guest_language = forms.ChoiceField(
        label=_("Language of our messages to them"),
        choices=settings.LANGUAGES,
        initial=get_language,  # that of the person who invites
    )

    def guest(self) -> NewGuest:
        given = self.cleaned_data
        return NewGuest(given["guest_name"], given["guest_email"], given["guest_language"])


class MeetingForm(GuestForm):
    starts_at = forms.DateTimeField(
        label=_("When"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    title = forms.CharField(label=_("Title"), max_length=120, required=False)
    mode = forms.ChoiceField(label=_("Kind of meeting"), widget=forms.RadioSelect)

    field_order = ("guest_name", "guest_email", "guest_language", "starts_at", "title", "mode")

    def __init__(self, organisation: Organisation, *args: Any, preset: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = [mode for mode in Mode if mode.value in organisation.allowed_modes]
        mode = self.fields["mode"]
        assert isinstance(mode, forms.ChoiceField)
        mode.choices = [(mode.value, MODE_CHOICES[mode]) for mode in allowed]
        self.initial.setdefault("mode", preset)
        self.initial.setdefault("starts_at", timezone.localtime())
