"""Rows of meetings. What names a person is sealed; what opens a door is a keyed hash."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from access import grants
from access.facts import Facts, belongs, roles_over
from accounts.models import MODE_NAMES, Department, Organisation, Person
from audit.clock import database_now
from foundation.actor import Actor, ActorKind
from meetings.lifecycle import InvitationState, MeetingState, PlaceState, SeatState
from vault.fields import SealedText

#: Places in one call. Above four, every browser decodes more than a phone can.
CAPACITY = 4


def _no_proofs() -> list[str]:
    return []


class Meeting(models.Model):
    """One visit. ``seq`` rises with every change of the room, so pages know what is newer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, verbose_name=_("department")
    )
    created_by = models.ForeignKey(Person, models.PROTECT, verbose_name=_("host"))
    title = SealedText(_("title"), blank=True)
    mode = models.CharField(
        _("kind"), max_length=10, choices=[(mode.value, name) for mode, name in MODE_NAMES.items()]
    )
    relay_only = models.BooleanField(_("hides network addresses"), default=True)
    state = models.CharField(_("state"), max_length=10, default=MeetingState.PLANNED.value)
    seq = models.PositiveIntegerField(default=0)
    #: What everybody in the call is asked to agree to, while something asks for it.
    consent_text = models.ForeignKey("ConsentText", models.PROTECT, null=True)
    #: Which question that is. The same words asked again are another question.
    consent_question = models.UUIDField(null=True)
    #: Nobody enters without it: what they agreed to is happening.
    consent_needed_to_enter = models.BooleanField(default=False)
    starts_at = models.DateTimeField(_("starts"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        permissions = [
            ("host_meeting", "May host this meeting"),
            ("join_meeting", "May join this meeting"),
        ]
        indexes = [models.Index(fields=["organisation", "-starts_at"])]

    def __str__(self) -> str:
        return str(self.pk)

    def is_hosted_by(self, actor: Actor) -> bool:
        """Its creator, or somebody who was granted to host it and whose grant has not ended."""
        if actor.kind is not ActorKind.PERSON or actor.id is None:
            return False
        return self.created_by_id == actor.id or "host_meeting" in grants.held(actor.id, self)

    def facts_for(self, actor: Actor) -> Facts:
        roles = roles_over(actor, self.department_id)
        if self.is_hosted_by(actor):
            roles.add("host")
        return Facts(
            same_organisation=belongs(actor, self.organisation_id),
            roles=frozenset(roles),
            state=self.state,
            assurance=actor.assurance,
        )

    @property
    def trail_name(self) -> str:
        return f"meeting:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID:
        return self.organisation_id


class ConsentText(models.Model):
    """What people are asked to agree to, word for word. New words are a new version.

    ``texts``: by language. ``sha256``: of what ``consents.digest_of`` makes of them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    version = models.PositiveIntegerField(_("version"))
    texts = models.JSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "version"], name="meetings_one_text_a_version"
            )
        ]

    def __str__(self) -> str:
        return f"version {self.version}"

    def in_language(self, language: str) -> str:
        """The words in ``language``, else in English."""
        return str(self.texts.get(language) or self.texts["en"])


class Guest(models.Model):
    """An invited patient without an account; linked to a person when the contact is proven."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    name = SealedText(_("name"))
    contact = SealedText(_("e-mail"))
    contact_index = models.CharField(max_length=64, db_index=True)
    language = models.CharField(_("language"), max_length=8, default="en")
    person = models.ForeignKey(Person, models.PROTECT, null=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.name)

    def __repr__(self) -> str:
        return f"<Guest {self.pk}>"


class Participation(models.Model):
    """One person's or guest's place in one meeting, and what their page last said of itself.

    ``socket`` names the page's connection; the place is connected while ``seen_at`` is recent.
    """

    class Role(models.TextChoices):
        HOST = "host", _("host")
        GUEST = "guest", _("guest")
        PARTICIPANT = "participant", _("participant")
        INTERPRETER = "interpreter", _("interpreter")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="participations")
    person = models.ForeignKey(Person, models.PROTECT, null=True)
    guest = models.ForeignKey(Guest, models.PROTECT, null=True)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices)
    state = models.CharField(_("state"), max_length=10, default=PlaceState.INVITED.value)
    verified_by = models.JSONField(_("verified by"), default=_no_proofs)
    waiting_since = models.DateTimeField(null=True)
    admitted_at = models.DateTimeField(null=True)
    generation = models.PositiveIntegerField(default=0)
    socket = models.UUIDField(null=True)
    socket_purpose = models.CharField(max_length=4, blank=True)
    seen_at = models.DateTimeField(null=True)
    microphone = models.BooleanField(default=False)
    camera = models.BooleanField(default=False)
    screen = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=False) ^ models.Q(guest__isnull=False),
                name="meetings_person_or_guest",
            ),
            models.UniqueConstraint(fields=["meeting", "person"], name="meetings_one_place"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def display_name(self) -> str:
        return str(self.person.full_name if self.person else self.guest.name)  # type: ignore[union-attr]

    @property
    def is_host(self) -> bool:
        return self.role == self.Role.HOST

    def is_occupied_by(self, actor: Actor) -> bool:
        if actor.kind is ActorKind.PERSON:
            return self.person_id is not None and self.person_id == actor.id
        return (
            actor.kind is ActorKind.GUEST
            and self.guest_id is not None
            and self.guest_id == actor.id
        )

    def facts_for(self, actor: Actor) -> Facts:
        facts = self.meeting.facts_for(actor)
        roles = set(facts.roles)
        if self.is_occupied_by(actor):
            roles.add("occupant")
        over = self.meeting.state == MeetingState.OVER
        return Facts(
            same_organisation=facts.same_organisation,
            roles=frozenset(roles),
            state="over" if over else self.state,
            assurance=actor.assurance,
            consent_owed=self.owes_consent(),
        )

    def owes_consent(self) -> bool:
        """What goes on in the meeting asks for an agreement that was never given.

        Who agreed and withdrew owes none: they may come back and are not recorded.
        """
        asked = self.meeting.consent_question if self.meeting.consent_needed_to_enter else None
        return asked is not None and not self.consents.filter(question=asked).exists()

    @property
    def trail_name(self) -> str:
        return f"participation:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID:
        return self.organisation_id


class Invitation(models.Model):
    """A way in for one place: the hash of a link's secret and of a code to type."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    participation = models.ForeignKey(Participation, models.PROTECT, related_name="invitations")
    secret_hash = models.CharField(max_length=64, unique=True)
    short_code_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=10, default=InvitationState.ISSUED.value)
    uses = models.PositiveSmallIntegerField(default=0)
    use_limit = models.PositiveSmallIntegerField()
    expires_at = models.DateTimeField(_("valid until"))
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.pk)

    def effective_state(self) -> InvitationState:
        """The stored state, unless the clock or the use limit ended it already."""
        if self.state == InvitationState.REVOKED:
            return InvitationState.REVOKED
        if self.expires_at <= database_now():
            return InvitationState.EXPIRED
        if self.uses >= self.use_limit:
            return InvitationState.SPENT
        return InvitationState(self.state)

    def facts_for(self, actor: Actor) -> Facts:
        meeting = self.participation.meeting
        over = meeting.state == MeetingState.OVER
        # Whoever holds the secret is not yet of any organisation; hosts are.
        hosts = meeting.is_hosted_by(actor)
        return Facts(
            same_organisation=True,
            roles=frozenset({actor.kind.value} | ({"host"} if hosts else set())),
            state="over" if over else self.effective_state().value,
            assurance=actor.assurance,
        )

    @property
    def trail_name(self) -> str:
        return f"invitation:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID:
        return self.organisation_id


class Seat(models.Model):
    """A place on one device. Its cookie's hash, and the one-time code on its way."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    participation = models.ForeignKey(Participation, models.PROTECT, related_name="seats")
    secret_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, default=SeatState.PENDING.value)
    generation = models.PositiveIntegerField(default=0)
    verified_by = models.JSONField(default=_no_proofs)
    code_hash = models.CharField(max_length=64, blank=True)
    code_expires_at = models.DateTimeField(null=True)
    code_attempts_left = models.PositiveSmallIntegerField(default=0)
    codes_sent = models.PositiveSmallIntegerField(default=0)
    code_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.pk)

    def has_fresh_code(self) -> bool:
        """A one-time code was sent for this seat and can still be typed."""
        return (
            bool(self.code_hash)
            and self.code_expires_at is not None
            and self.code_expires_at > database_now()
        )

    def facts_for(self, actor: Actor) -> Facts:
        facts = self.participation.facts_for(actor)
        held = {"seat"} if self.participation.is_occupied_by(actor) else set()
        over = self.participation.meeting.state == MeetingState.OVER
        gone = self.participation.state in (PlaceState.REMOVED, PlaceState.DECLINED)
        state = "over" if over else self.participation.state if gone else self.state
        return Facts(
            same_organisation=facts.same_organisation,
            roles=frozenset(facts.roles | held),
            state=state,
            assurance=actor.assurance,
        )

    @property
    def trail_name(self) -> str:
        return f"seat:{self.pk}"

    @property
    def trail_organisation_id(self) -> UUID:
        return self.organisation_id


class SpentTicket(models.Model):
    """A ticket that was used: its id can be inserted once. Swept after it expired."""

    jti = models.UUIDField(primary_key=True)
    organisation_id = models.UUIDField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)


class Consent(models.Model):
    """One place's agreement, to one question in these words, on its own screen. Never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    participation = models.ForeignKey(Participation, models.PROTECT, related_name="consents")
    text = models.ForeignKey(ConsentText, models.PROTECT, verbose_name=_("text"))
    question = models.UUIDField()
    given_at = models.DateTimeField(_("agreed"))
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "question"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="meetings_one_consent",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
