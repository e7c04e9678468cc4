"""Rows of recordings. Nothing here opens one: keys are the vault's, bytes the storage's."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from access.facts import Facts, base_roles
from accounts.models import Organisation, Person
from foundation.actor import Actor, ActorKind, Role
from media.models import MediaWorker, Placement
from meetings.models import ConsentText, Meeting, Participation
from recordings.lifecycle import ACTIVE, RecordingState
from vault.fields import SealedText


class RetentionPolicy(models.Model):
    """How long an organisation keeps recordings. A change is a new version; none is edited."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    version = models.PositiveIntegerField(_("version"))
    may_record = models.BooleanField(_("calls may be recorded"), default=False)
    keep_days = models.PositiveIntegerField(_("days kept"))
    clinician_may_play = models.BooleanField(_("the clinician may play"), default=True)
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("in force from"), db_default=Now())

    class Meta:
        verbose_name = _("recording policy")
        verbose_name_plural = _("recording policies")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "version"], name="recordings_one_policy_a_version"
            )
        ]

    def __str__(self) -> str:
        return f"version {self.version}"


class Recording(models.Model):
    """One recording of one meeting, from the question to the end.

    ``keeper``: whose place may pause and stop it, and whose leaving ends it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="recordings")
    state = models.CharField(_("state"), max_length=10, default=RecordingState.ASKED.value)
    asked_by = models.ForeignKey(Participation, models.PROTECT, related_name="+")
    keeper = models.ForeignKey(Participation, models.PROTECT, related_name="+")
    text = models.ForeignKey(ConsentText, models.PROTECT)
    policy = models.ForeignKey(RetentionPolicy, models.PROTECT)
    public_key = models.BinaryField(default=bytes)
    asked_at = models.DateTimeField(_("asked"), db_default=Now())
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    end_reason = models.CharField(_("why it ended"), max_length=20, blank=True)
    #: What the media worker said last of how it goes there: words of ``wire.worker.Recording``.
    worker_state = models.CharField(max_length=10, blank=True)
    worker_reason = models.CharField(max_length=20, blank=True)
    #: Who makes its films at the moment, until when they count as alive, and how far they are.
    maker = models.UUIDField(null=True)
    maker_until = models.DateTimeField(null=True)
    percent = models.PositiveSmallIntegerField(_("percent made"), default=0)
    #: What keeps it from being stored or seen at the moment: a word of ``actions.trouble``.
    trouble = models.CharField(max_length=20, blank=True)
    delete_after = models.DateTimeField(_("kept until"), null=True)
    #: The storage has not taken or given what is the recording's since then; empty when it does.
    storage_trouble_since = models.DateTimeField(_("storage fails since"), null=True)
    #: Why no films are made of its segments, and which of them it is: ``sealing.errors``' words.
    seal_refusal = models.CharField(_("refused"), max_length=160, blank=True)
    consent_digest = models.CharField(max_length=64, blank=True)
    #: As it was signed, for whoever has to upload it again; it names nobody.
    manifest = models.TextField(blank=True)
    stored_at = models.DateTimeField(_("stored"), null=True)
    #: Nothing is left of what the films were made of.
    segments_dropped_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("play_recording", "May play this recording")]
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        constraints = [
            models.UniqueConstraint(
                fields=["meeting"],
                condition=models.Q(state__in=sorted(state.value for state in ACTIVE)),
                name="recordings_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def facts_for(self, actor: Actor) -> Facts:
        if actor.kind is ActorKind.WORKER:
            return self._facts_for_worker(actor)
        facts = self.meeting.facts_for(actor)
        roles = set(facts.roles)
        if self.keeper.is_occupied_by(actor):
            roles.add("keeper")
        if self._was_hosted_by(actor):
            roles.add("clinician_who_hosted")
        return Facts(
            same_organisation=facts.same_organisation,
            roles=frozenset(roles),
            state=self.state,
            assurance=actor.assurance,
        )

    def _was_hosted_by(self, actor: Actor) -> bool:
        """A clinician who sat there as a host. Who may only host now has not seen the patient."""
        return (
            actor.kind is ActorKind.PERSON
            and actor.id is not None
            and Role.CLINICIAN in actor.roles
            and self.meeting.participations.filter(
                person_id=actor.id, role=Participation.Role.HOST
            ).exists()
        )

    def _facts_for_worker(self, actor: Actor) -> Facts:
        """A worker is of no organisation; it may have to do with rooms that it ever carried."""
        carried = Placement.objects.filter(meeting_id=self.meeting_id, worker_id=actor.id)
        return Facts(
            same_organisation=carried.exists(),
            roles=frozenset(base_roles(actor)),
            state=self.state,
            assurance=actor.assurance,
        )

    @property
    def trail_name(self) -> str:
        return f"recording:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID:
        return self.organisation_id


class Attestation(models.Model):
    """What somebody said about who else is in the room with them. Numbers only: no names."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="attestations")
    by = models.ForeignKey(Participation, models.PROTECT)
    others = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


class Run(models.Model):
    """An unbroken piece of work of one worker on one recording, as far as it was taken.

    ``head``: the digest of its newest segment. ``finished``: that one said it is the last.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="runs")
    worker = models.ForeignKey(MediaWorker, models.PROTECT)
    number = models.PositiveIntegerField()
    segments = models.PositiveIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True)
    finished = models.BooleanField(default=False)
    newest_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recording", "number"], name="recordings_runs_in_order")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Segment(models.Model):
    """A line of the roll: these bytes were taken under this number. See sealing/FORMAT.md."""

    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    run = models.ForeignKey(Run, models.PROTECT, related_name="roll")
    sequence = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "sequence"], name="recordings_one_of_a_number")
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.sequence}"


class StoredFilm(models.Model):
    """One stored object of a recording: one place's camera and microphone, or its screen.

    What can be said of it only when it was read back stays empty until then.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="films")
    place = models.ForeignKey(Participation, models.PROTECT, verbose_name=_("person"))
    sources = models.JSONField(_("what is in it"))
    starts_ms = models.PositiveBigIntegerField(_("begins after (ms)"))
    duration_ms = models.PositiveBigIntegerField(_("length (ms)"))
    plaintext_bytes = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField(_("bytes"), default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    key_commitment = models.CharField(max_length=64, blank=True)
    read_back_at = models.DateTimeField(_("read back"), null=True)

    class Meta:
        verbose_name = _("stored film")
        verbose_name_plural = _("stored films")

    def __str__(self) -> str:
        return str(self.pk)


class Hold(models.Model):
    """Nothing of this recording is destroyed while it stands, whatever any policy says."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="holds")
    placed_by = models.ForeignKey(
        Person, models.PROTECT, related_name="+", verbose_name=_("placed by")
    )
    reason = SealedText(_("reason"))
    placed_at = models.DateTimeField(_("placed"))
    released_by = models.ForeignKey(
        Person, models.PROTECT, null=True, related_name="+", verbose_name=_("released by")
    )
    released_at = models.DateTimeField(_("released"), null=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")

    def __str__(self) -> str:
        return str(self.pk)


class Viewing(models.Model):
    """One person looks at one recording, on one screen, for a while, for a reason.

    ``session``: a keyed hash of the session that opened it; no other one reads by it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="viewings")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", verbose_name=_("who"))
    reason = SealedText(_("reason"), blank=True)
    session = models.CharField(max_length=64)
    opened_at = models.DateTimeField(_("opened"))
    until = models.DateTimeField(_("open until"))

    class Meta:
        verbose_name = _("viewing")
        verbose_name_plural = _("viewings")

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def trail_name(self) -> str:
        return f"viewing:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID:
        return self.organisation_id


class FilmRead(models.Model):
    """What was given out of one film in one viewing: so many answers, so many bytes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    viewing = models.ForeignKey(Viewing, models.PROTECT, related_name="read")
    film = models.ForeignKey(StoredFilm, models.PROTECT, verbose_name=_("film"))
    answers = models.PositiveIntegerField(_("answers"), default=0)
    given_bytes = models.PositiveBigIntegerField(_("bytes given"), default=0)
    first_at = models.DateTimeField(_("first"))
    latest_at = models.DateTimeField(_("latest"))

    class Meta:
        verbose_name = _("film that was read")
        verbose_name_plural = _("films that were read")
        constraints = [
            models.UniqueConstraint(fields=["viewing", "film"], name="recordings_one_read_a_film")
        ]

    def __str__(self) -> str:
        return str(self.pk)
