"""What an organisation says about recordings from now on."""

from __future__ import annotations

from uuid import UUID

from access.actions import action
from access.verbs import Verb
from accounts.models import Organisation
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from recordings import policies
from recordings.models import RetentionPolicy

#: A century; above it a date is a slip of the keyboard, and a lock cannot be taken back.
MAX_KEEP_DAYS = 36_525


def change_policy(
    actor: Actor,
    organisation_id: UUID,
    *,
    may_record: bool,
    keep_days: int,
    clinician_may_play: bool,
) -> RetentionPolicy:
    """A new version, for whatever is asked for from now on; what there is keeps its own.

    Refused: ``form_invalid``, and what the gate says. The same once more is no new version.
    """
    # The organisation's row is locked: two officers make two versions, one after the other.
    organisations = Organisation.objects.filter(pk=organisation_id)
    with action(actor, Verb.POLICY_WRITE, organisations) as act:
        if not 1 <= keep_days <= MAX_KEEP_DAYS:
            raise ConsiliumError("form_invalid")
        words: dict[str, bool | int] = {
            "clinician_may_play": clinician_may_play,
            "keep_days": keep_days,
            "may_record": may_record,
        }
        before = policies.current(organisation_id)
        after = before
        if before.sha256 != policies.digest_of(words):
            after = policies.write(
                organisation_id,
                may_record=may_record,
                keep_days=keep_days,
                clinician_may_play=clinician_may_play,
            )
        act.details |= {"version": after.version, "sha256": after.sha256, **words}
        return after
