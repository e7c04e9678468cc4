"""Meetings on the officers' desk; shown, not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from access.site import OwnRowsFilter, ShownOnly, desk, yes_or_no
from access.verbs import Verb
from meetings.models import Consent, Meeting, Participation

# Django's classes take their type arguments only when types are checked.
if TYPE_CHECKING:
    _Inline = admin.TabularInline[Participation, Meeting]
else:
    _Inline = admin.TabularInline


class PlacesShown(_Inline):
    model = Participation
    extra = 0
    can_delete = False
    fields = readonly_fields = ("display_name", "role", "state", "verified_by", "admitted_at")
    verbose_name_plural = _("people")

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_view_permission(self, request: object, obj: object = None) -> bool:
        return True  # shown inside MeetingPage, which has asked the gate

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    @admin.display(description=_("name"))
    def display_name(self, place: Participation) -> str:
        return place.display_name


@admin.register(Meeting, site=desk)
class MeetingPage(ShownOnly):
    verb = Verb.MEETINGS_SHOW
    list_display = ("starts_at", "host_name", "department", "mode", "hides_addresses", "state")
    list_filter = ("mode", "state", ("department", OwnRowsFilter))
    list_select_related = ("created_by", "department")
    date_hierarchy = "starts_at"
    fields = (
        "id",
        "starts_at",
        "host_name",
        "department",
        "mode",
        "hides_addresses",
        "state",
        "ended_at",
    )
    readonly_fields = fields
    inlines = (PlacesShown,)

    @admin.display(description=_("hides network addresses"), ordering="relay_only")
    def hides_addresses(self, meeting: Meeting) -> str:
        return yes_or_no(meeting.relay_only)

    @admin.display(description=_("host"))
    def host_name(self, meeting: Meeting) -> str:
        return str(meeting.created_by)


@admin.register(Consent, site=desk)
class ConsentPage(ShownOnly):
    verb = Verb.RECORDINGS_SHOW
    list_display = ("given_at", "person", "meeting", "text", "withdrawn_at")
    list_select_related = (
        "participation__person",
        "participation__guest",
        "participation__meeting",
        "text",
    )
    date_hierarchy = "given_at"
    ordering = ("-given_at",)
    fields = readonly_fields = ("person", "meeting", "text", "words", "given_at", "withdrawn_at")

    @admin.display(description=_("person"))
    def person(self, consent: Consent) -> str:
        return consent.participation.display_name

    @admin.display(description=_("meeting"))
    def meeting(self, consent: Consent) -> str:
        return str(consent.participation.meeting)

    @admin.display(description=_("words"))
    def words(self, consent: Consent) -> str:
        return consent.text.in_language(get_language() or "en")
