"""Rows of media: workers, their presence, placements and paths."""

from __future__ import annotations

import uuid
from datetime import timedelta
from uuid import UUID

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from access.facts import Facts, base_roles
from audit.clock import database_now
from foundation.actor import Actor
from meetings.models import Meeting, Participation

#: A worker renews its presence every 2 s; three missed renewals and it counts as gone.
RENEW_SECONDS = 2.0
PRESENCE_LASTS = timedelta(seconds=6)


class MediaWorker(models.Model):
    """An enrolled media worker. It belongs to the installation and serves all organisations."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=40)
    public_key = models.CharField(max_length=44, unique=True)
    state = models.CharField(_("state"), max_length=10, default="enrolled")
    enrolled_at = models.DateTimeField(_("enrolled"), db_default=Now())
    capacity = models.PositiveIntegerField(default=0)
    participants = models.PositiveIntegerField(_("people"), default=0)
    cpu_percent = models.FloatField(_("processor %"), default=0)
    present_until = models.DateTimeField(_("present until"), null=True)
    link = models.UUIDField(null=True)  # the connection that keeps the presence

    class Meta:
        verbose_name = _("media worker")
        verbose_name_plural = _("media workers")

    def __str__(self) -> str:
        return self.name

    def is_present(self) -> bool:
        return self.present_until is not None and self.present_until > database_now()

    def facts_for(self, actor: Actor) -> Facts:
        mine = actor.kind == "worker" and actor.id == self.pk
        return Facts(
            same_organisation=True,
            roles=frozenset({"worker"}) if mine else frozenset(base_roles(actor) - {"worker"}),
            state=self.state,
            assurance=actor.assurance,
        )

    @property
    def trail_name(self) -> str:
        return f"worker:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID | None:
        return None


class Enrolment(models.Model):
    """A one-time code that turns a key into a worker's identity."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, default="issued")

    def __str__(self) -> str:
        return str(self.pk)

    def facts_for(self, actor: Actor) -> Facts:
        expired = self.expires_at <= database_now()
        return Facts(
            same_organisation=True,
            roles=frozenset(base_roles(actor)),
            state="enrolment_expired" if expired else self.state,
            assurance=actor.assurance,
        )

    @property
    def trail_name(self) -> str:
        return f"enrolment:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID | None:
        return None


class SpentAssertion(models.Model):
    """A worker's assertion that opened a link: its id can be inserted once. Swept once expired."""

    jti = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)


class Placement(models.Model):
    """A governed meeting's room on one worker. At most one is in force for a meeting."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation_id = models.UUIDField(db_index=True)
    meeting = models.ForeignKey(Meeting, models.PROTECT)
    worker = models.ForeignKey(MediaWorker, models.PROTECT)
    placed_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meeting"],
                condition=models.Q(ended_at__isnull=True),
                name="media_one_placement",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Path(models.Model):
    """One place's way into the media. A higher ``epoch`` ends whatever went by a lower one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation_id = models.UUIDField(db_index=True)
    meeting = models.ForeignKey(Meeting, models.PROTECT)
    participation = models.OneToOneField(Participation, models.PROTECT, related_name="path")
    epoch = models.PositiveIntegerField(default=0)
    offers = models.BooleanField(default=False)
    ready = models.BooleanField(default=False)
    peer = models.ForeignKey(Participation, models.PROTECT, null=True, related_name="+")
    leased_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"path {self.epoch}"
