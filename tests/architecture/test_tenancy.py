"""Every row belongs to one organisation, or says why not; what names a person is sealed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from vault.fields import SealedText

REPOSITORY = Path(__file__).resolve().parents[2]
OURS = [
    model
    for model in apps.get_models()
    if Path(apps.get_app_config(model._meta.app_label).path).is_relative_to(REPOSITORY / "apps")
]

#: Rows of no single organisation.
OF_NOBODY = {
    "accounts.Organisation": "is the tenant",
    "accounts.Person": "may belong to several organisations; memberships say which",
    "accounts.Device": "is of a person, who may belong to several organisations",
    "accounts.LoginSession": "belongs to a browser before anybody is known",
    "media.MediaWorker": "belongs to the installation and serves all organisations",
    "media.Enrolment": "makes a worker",
    "media.SpentAssertion": "of a worker",
    "vault.SigningKey": "signs for the installation",
}

#: Tenant rows whose organisation may be empty, because the installation has such rows too.
ALSO_OF_THE_INSTALLATION = {
    "access.PersonGrant": "guardian makes the row first; without an organisation it has ended",
    "audit.TrailRow": "an anonymous refusal concerns no organisation",
    "audit.TrailPersonal": "as its row",
    "outbox.OutboxRow": "commands to media workers",
    "vault.OrganisationKey": "the installation's own key",
}

SEALED = {
    "accounts.Device.label",
    "accounts.IdentityProvider.client_secret",
    "accounts.Person.email",
    "accounts.Person.full_name",
    "accounts.StaffInvitation.email",
    "accounts.StaffInvitation.full_name",
    "meetings.Guest.contact",
    "meetings.Guest.name",
    "meetings.Meeting.title",
    "recordings.Hold.reason",
    "recordings.Viewing.reason",
}

#: Text columns that are neither choices nor sealed, and why they may stand in clear.
CLEAR = {
    "access.PersonGrant.object_pk": "an id",
    "access.PersonGrant.reason_sealed": "sealed by foundation.keys.personal",
    "accounts.AccessToken.hint": "four characters of 43, to tell two tokens apart",
    "accounts.AccessToken.name": "a machine's name",
    "accounts.AccessToken.secret_hash": "a keyed hash",
    "accounts.Department.name": "an organisation's own structure",
    "accounts.Device.secret_hash": "a keyed hash",
    "accounts.IdentityProvider.client_id": "what the provider calls us",
    "accounts.IdentityProvider.issuer": "a hospital's public address",
    "accounts.IdentityProvider.name": "a tenant is no person",
    "accounts.IdentityProvider.role_claim": "a claim's name",
    "accounts.LoginSession.session_data": "sealed by the session store",
    "accounts.LoginSession.session_key": "a keyed hash",
    "accounts.Organisation.name": "a tenant is no person",
    "accounts.Organisation.time_zone": "a tenant is no person",
    "accounts.Person.email_index": "a keyed index",
    "accounts.Person.password": "an Argon2 hash",
    "accounts.StaffInvitation.secret_hash": "a keyed hash",
    "accounts.StaffInvitation.state": "a state",
    "audit.TrailPersonal.sealed": "sealed by foundation.keys.personal",
    "audit.TrailRow.actor": "kind and id",
    "audit.TrailRow.body": "names nobody; see tests/audit",
    "audit.TrailRow.outcome": "done or refused",
    "audit.TrailRow.reason": "a code",
    "audit.TrailRow.subject": "kind and id",
    "audit.TrailRow.tag": "a verb",
    "media.Enrolment.code_hash": "a keyed hash",
    "media.Enrolment.state": "a state",
    "media.MediaWorker.name": "a machine's name",
    "media.MediaWorker.public_key": "a public key",
    "media.MediaWorker.state": "a state",
    "meetings.ConsentText.sha256": "a digest",
    "meetings.Guest.contact_index": "a keyed index",
    "meetings.Guest.language": "one of the few that mails can be sent in",
    "meetings.Invitation.secret_hash": "a keyed hash",
    "meetings.Invitation.short_code_hash": "a keyed hash",
    "meetings.Invitation.state": "a state",
    "meetings.Meeting.state": "a state",
    "meetings.Participation.socket_purpose": "wait or join",
    "meetings.Participation.state": "a state",
    "meetings.Seat.code_hash": "a keyed hash",
    "meetings.Seat.secret_hash": "a keyed hash",
    "meetings.Seat.state": "a state",
    "outbox.OutboxRow.topic": "a vocabulary",
    "recordings.Recording.consent_digest": "a digest",
    "recordings.Recording.end_reason": "a vocabulary",
    "recordings.Recording.manifest": "names nobody; see sealing/FORMAT.md",
    "recordings.Recording.seal_refusal": "what is wrong with which segment, by its name",
    "recordings.Recording.state": "a state",
    "recordings.Recording.trouble": "a vocabulary",
    "recordings.Recording.worker_reason": "a vocabulary",
    "recordings.Recording.worker_state": "a vocabulary",
    "recordings.RetentionPolicy.sha256": "a digest",
    "recordings.Run.head": "a digest",
    "recordings.Segment.digest": "a digest",
    "recordings.StoredFilm.key_commitment": "tells nothing of the key",
    "recordings.StoredFilm.sha256": "a digest",
    "recordings.Viewing.session": "a keyed hash",
    "vault.SigningKey.kid": "a key's id",
    "vault.SigningKey.private_sealed": "sealed by the vault",
    "vault.SigningKey.public": "a public key",
}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_row_has_an_organisation_or_a_reason(model):
    columns = {field.attname: field for field in model._meta.concrete_fields}
    column = columns.get("organisation_id")
    if column is None:
        assert model._meta.label in OF_NOBODY, f"{model._meta.label} has no organisation"
    else:
        assert model._meta.label not in OF_NOBODY
        assert column.null == (model._meta.label in ALSO_OF_THE_INSTALLATION)


def test_the_lists_of_exceptions_name_models_that_exist():
    labels = {model._meta.label for model in OURS}
    assert set(OF_NOBODY) | set(ALSO_OF_THE_INSTALLATION) <= labels


def test_the_sealed_columns_are_these():
    sealed = {
        f"{model._meta.label}.{field.name}"
        for model in OURS
        for field in model._meta.concrete_fields
        if isinstance(field, SealedText)
    }
    assert sealed == SEALED


def test_every_text_column_in_clear_has_a_reason():
    clear = {
        f"{model._meta.label}.{field.name}"
        for model in OURS
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not isinstance(field, SealedText)
        and not field.choices
    }
    assert clear == set(CLEAR)


def test_no_column_is_an_address_of_any_kind():
    unfit = (models.EmailField, models.GenericIPAddressField, models.URLField, models.FileField)
    for model in OURS:
        for field in model._meta.concrete_fields:
            assert not isinstance(field, unfit), field


def test_sealed_columns_are_never_written_by_update():
    """``update()`` knows no organisation and would raise; the linter of last resort."""
    names = {label.rsplit(".", 1)[1] for label in SEALED} - {"name"}
    for file in [*(REPOSITORY / "apps").rglob("*.py"), *(REPOSITORY / "platform").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"update", "bulk_update"}
            ):
                written = {keyword.arg for keyword in node.keywords}
                assert not written & names, f"{file}:{node.lineno}"
