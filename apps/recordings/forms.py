"""The forms about recordings: why one looks, why one is kept, and the organisation's policy."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from recordings.actions.govern import MAX_KEEP_DAYS
from recordings.actions.retire import MAX_REASON_CHARS


def _why(label: object) -> forms.CharField:
    return forms.CharField(
        label=label,  # type: ignore[arg-type]
        max_length=MAX_REASON_CHARS,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReasonForm(forms.Form):
    reason = _why(_("Why do you look at it?"))


class HoldForm(forms.Form):
    reason = _why(_("Why must it be kept?"))

    # Two forms of one page have fields of one name.
    def __init__(self, data: object = None) -> None:
        super().__init__(data, auto_id="hold_%s")  # type: ignore[arg-type]


class PolicyForm(forms.Form):
    may_record = forms.BooleanField(
        label=_("Calls may be recorded"),
        help_text=_("Only governed calls, and only if everybody in the call agrees."),
        required=False,
    )
    keep_days = forms.IntegerField(
        label=_("Days that a recording is kept"),
        help_text=_("From the end of the recording. Then its keys are destroyed."),
        min_value=1,
        max_value=MAX_KEEP_DAYS,
    )
    clinician_may_play = forms.BooleanField(
        label=_("The clinician who hosted may look at it again"),
        help_text=_("Otherwise only compliance officers can, for a reason."),
        required=False,
    )
