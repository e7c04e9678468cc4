"""The trail on the officers' desk. It shows rows; nothing here can change one."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from access.site import ShownOnly, desk
from access.verbs import Verb
from audit.models import TrailRow
from audit.trail import personal_fields


@admin.register(TrailRow, site=desk)
class TrailPage(ShownOnly):
    verb = Verb.TRAIL_SHOW
    list_display = ("at", "tag", "outcome", "reason", "actor", "subject")
    list_filter = ("outcome", "tag", "reason")
    search_fields = ("actor", "subject", "tag", "reason")
    date_hierarchy = "at"
    ordering = ("-id",)
    fields = readonly_fields = (
        "at",
        "tag",
        "outcome",
        "reason",
        "actor",
        "subject",
        "body",
        "names",
    )

    @admin.display(description=_("personal fields, kept apart"))
    def names(self, row: TrailRow) -> str:
        return ", ".join(f"{name}: {value}" for name, value in personal_fields(row).items()) or "–"
