"""Media workers on the officers' desk; they belong to the installation, not to a tenant."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from access.site import ShownOnly, desk, yes_or_no
from access.verbs import Verb
from media.models import MediaWorker


@admin.register(MediaWorker, site=desk)
class MediaWorkerPage(ShownOnly):
    verb = Verb.WORKERS_SHOW
    list_display = ("name", "is_here", "participants", "cpu_percent", "enrolled_at")
    fields = readonly_fields = list_display

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[models.Model]:
        return MediaWorker.objects.all()

    @admin.display(description=_("connected"))
    def is_here(self, worker: MediaWorker) -> str:
        return yes_or_no(worker.is_present())
