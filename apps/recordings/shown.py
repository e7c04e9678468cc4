"""A recording in words, for whoever looks at it: only what is known to be so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recordings.actions import trouble
from recordings.lifecycle import RecordingState
from recordings.models import Recording
from vault import recording_keys


@dataclass(frozen=True, slots=True)
class Line:
    """``tone``: ``ok``, ``warn``, ``danger`` or none. ``percent``: while it is sealed."""

    id: UUID
    state: str
    name: str
    tone: str
    asked_at: datetime
    says: list[str] = field(default_factory=list)
    trouble: str = ""
    percent: int | None = None
    is_held: bool = False


_TONES = {
    RecordingState.ASKED: "warn",
    RecordingState.RECORDING: "danger",
    RecordingState.PAUSED: "warn",
    RecordingState.GATHERING: "warn",
    RecordingState.SEALING: "warn",
    RecordingState.STORED: "ok",
}


def state_name(state: str) -> str:
    """In one or two words."""
    return {
        RecordingState.ASKED: _("Asked for"),
        RecordingState.ABANDONED: _("Did not begin"),
        RecordingState.RECORDING: _("Recording"),
        RecordingState.PAUSED: _("Paused"),
        RecordingState.GATHERING: _("Being gathered"),
        RecordingState.EMPTY: _("Empty"),
        RecordingState.SEALING: _("Being sealed"),
        RecordingState.STORED: _("Stored"),
        RecordingState.SHREDDED: _("Destroyed"),
        RecordingState.REMOVED: _("Removed"),
    }[RecordingState(state)]


def line(recording: Recording) -> Line:
    state = RecordingState(recording.state)
    return Line(
        id=recording.pk,
        state=state.value,
        name=state_name(state),
        tone=_TONES.get(state, ""),
        asked_at=recording.asked_at,
        says=_says(recording, state),
        trouble=_trouble(recording.trouble),
        percent=recording.percent if state is RecordingState.SEALING else None,
        is_held=recording.holds.filter(released_at__isnull=True).exists(),
    )


def _says(recording: Recording, state: RecordingState) -> list[str]:
    match state:
        case RecordingState.ASKED:
            return [_("It begins when everybody in the call has agreed.")]
        case RecordingState.ABANDONED:
            return [_why(recording.end_reason)]
        case RecordingState.RECORDING:
            if recording.worker_state in {"failed", "stopped"}:
                return [_("The media server reports that it takes nothing at the moment.")]
            return [
                _("Since %(time)s everybody who agreed is recorded.")
                % {"time": moment(recording.started_at)}
            ]
        case RecordingState.PAUSED:
            return [_("Nothing of anybody is taken until it goes on.")]
        case RecordingState.GATHERING:
            return [
                _why(recording.end_reason),
                _("The media server hands in what it still holds."),
            ]
        case RecordingState.EMPTY:
            return [_("Nothing was ever handed in: there is nothing to store.")]
        case RecordingState.SEALING:
            return [_done(recording), _("It is called stored when all of it was read back.")]
        case RecordingState.STORED:
            return [
                _("On %(time)s it was read back from the storage to its end.")
                % {"time": moment(recording.stored_at)},
                _("After %(time)s its keys are destroyed, unless it is on hold.")
                % {"time": moment(recording.delete_after)},
            ]
        case RecordingState.SHREDDED | RecordingState.REMOVED:
            return _destroyed(recording, state)


def _done(recording: Recording) -> str:
    films = recording.films.filter(read_back_at__isnull=False).count()
    return ngettext(
        "%(percent)s %% made; %(films)s film read back.",
        "%(percent)s %% made; %(films)s films read back.",
        films,
    ) % {"percent": recording.percent, "films": films}


def _destroyed(recording: Recording, state: RecordingState) -> list[str]:
    at = moment(recording_keys.shredded_at(recording.pk))
    said = [_("Its keys were destroyed on %(time)s; it opens for nobody any more.") % {"time": at}]
    if state is RecordingState.SHREDDED:
        said.append(_("What is locked in the storage is removed when its lock ends."))
    else:
        said.append(_("Nothing of it is in the storage any more."))
    return said


def _why(end_reason: str) -> str:
    return {
        "refused": _("Somebody did not agree."),
        "taken_back": _("Whoever asked took it back."),
        "stopped": _("It was stopped."),
        "starter_left": _("Whoever kept it left the call."),
        "withdrawn": _("Nobody was left who agreed."),
        "meeting_ended": _("The meeting ended."),
    }.get(end_reason, _("It ended."))


def _trouble(word: str) -> str:
    return {
        trouble.STORAGE_AWAY: _(
            "The storage cannot be reached at the moment. Nothing is lost; we keep trying."
        ),
        trouble.STORAGE_REFUSES: _(
            "The storage refuses what we ask of it. Nothing is lost, but somebody who looks "
            "after it has to act."
        ),
        trouble.NOT_SOUND: _(
            "What lies in the storage does not read back as it was written. It is shown to nobody."
        ),
    }.get(word, "")


def moment(at: datetime | None) -> str:
    """In the organisation's time."""
    if at is None:
        return "–"
    local = localtime(at)
    return f"{date_format(local, 'DATE_FORMAT')}, {date_format(local, 'TIME_FORMAT')}"
