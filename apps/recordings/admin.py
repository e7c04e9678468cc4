"""Recordings on the officers' desk; shown, not changed. What is changed has forms of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from access.site import ShownOnly, desk, yes_or_no
from access.verbs import Verb
from recordings.models import FilmRead, Hold, Recording, RetentionPolicy, StoredFilm, Viewing
from recordings.shown import line, state_name

# Django's classes take their type arguments only when types are checked.
if TYPE_CHECKING:
    _Films = admin.TabularInline[StoredFilm, Recording]
    _Reads = admin.TabularInline[FilmRead, Viewing]
else:
    _Films = _Reads = admin.TabularInline


class _Shown:
    """An inline of a page that has asked the gate."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_view_permission(self, request: object, obj: object = None) -> bool:
        return True

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False


class FilmsShown(_Shown, _Films):
    model = StoredFilm
    fields = readonly_fields = ("person", "sources", "size", "read_back_at")

    @admin.display(description=_("person"))
    def person(self, film: StoredFilm) -> str:
        return film.place.display_name


class ReadsShown(_Shown, _Reads):
    model = FilmRead
    fields = readonly_fields = ("film", "answers", "given_bytes", "first_at", "latest_at")


@admin.register(Recording, site=desk)
class RecordingPage(ShownOnly):
    verb = Verb.RECORDINGS_SHOW
    list_display = ("asked_at", "says", "trouble_now", "held", "delete_after")
    list_filter = ("state",)
    list_select_related = ("meeting",)
    date_hierarchy = "asked_at"
    ordering = ("-asked_at",)
    fields = readonly_fields = (
        "id",
        "meeting",
        "says",
        "details",
        "trouble_now",
        "held",
        "asked_at",
        "started_at",
        "ended_at",
        "stored_at",
        "delete_after",
        "policy",
        "own_page",
    )
    inlines = (FilmsShown,)

    @admin.display(description=_("state"), ordering="state")
    def says(self, recording: Recording) -> str:
        return state_name(recording.state)

    @admin.display(description=_("that is"))
    def details(self, recording: Recording) -> str:
        return " ".join(line(recording).says)

    @admin.display(description=_("trouble"))
    def trouble_now(self, recording: Recording) -> str:
        return line(recording).trouble or "–"

    @admin.display(description=_("on hold"))
    def held(self, recording: Recording) -> str:
        return yes_or_no(line(recording).is_held)

    @admin.display(description=_("to do"))
    def own_page(self, recording: Recording) -> str:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("recording", args=[recording.pk]),
            _("Look at it, put it on hold, or release it"),
        )


@admin.register(StoredFilm, site=desk)
class StoredFilmPage(ShownOnly):
    verb = Verb.RECORDINGS_SHOW
    list_display = ("recording", "person", "sources", "size", "read_back_at")
    list_select_related = ("recording", "place__person", "place__guest")
    ordering = ("-read_back_at",)
    fields = readonly_fields = (
        "id",
        "recording",
        "person",
        "sources",
        "starts_ms",
        "duration_ms",
        "size",
        "sha256",
        "read_back_at",
    )

    @admin.display(description=_("person"))
    def person(self, film: StoredFilm) -> str:
        return film.place.display_name


@admin.register(Hold, site=desk)
class HoldPage(ShownOnly):
    verb = Verb.RECORDINGS_SHOW
    list_display = ("placed_at", "recording", "placed_by", "released_at")
    list_select_related = ("recording", "placed_by")
    ordering = ("-placed_at",)
    fields = readonly_fields = (
        "recording",
        "reason",
        "placed_by",
        "placed_at",
        "released_by",
        "released_at",
    )


@admin.register(RetentionPolicy, site=desk)
class RetentionPolicyPage(ShownOnly):
    verb = Verb.RECORDINGS_SHOW
    list_display = ("version", "created_at", "records", "keep_days", "clinician_plays")
    ordering = ("-version",)
    fields = readonly_fields = (
        "version",
        "created_at",
        "records",
        "keep_days",
        "clinician_plays",
        "sha256",
        "own_page",
    )

    @admin.display(description=_("calls may be recorded"))
    def records(self, policy: RetentionPolicy) -> str:
        return yes_or_no(policy.may_record)

    @admin.display(description=_("the clinician may play"))
    def clinician_plays(self, policy: RetentionPolicy) -> str:
        return yes_or_no(policy.clinician_may_play)

    @admin.display(description=_("to do"))
    def own_page(self, policy: RetentionPolicy) -> str:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("recording-policy", args=[policy.organisation_id]),
            _("Write a new version"),
        )


@admin.register(Viewing, site=desk)
class ViewingPage(ShownOnly):
    verb = Verb.RECORDINGS_SHOW
    list_display = ("opened_at", "recording", "person", "until", "bytes_read")
    list_select_related = ("recording", "person")
    date_hierarchy = "opened_at"
    ordering = ("-opened_at",)
    fields = readonly_fields = ("recording", "person", "reason", "opened_at", "until", "bytes_read")
    inlines = (ReadsShown,)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[models.Model]:
        rows = super().get_queryset(request)
        return rows.annotate(given=models.Sum("read__given_bytes"))  # type: ignore[no-any-return]

    @admin.display(description=_("bytes given"))
    def bytes_read(self, viewing: Viewing) -> int:
        return viewing.given or 0  # type: ignore[attr-defined]
