"""Opening, repairing and ending the media paths of a meeting."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max

from audit.clock import database_now
from foundation.events import announce
from foundation.wire import browser as wire
from media import leases
from media.events import RoomLeased
from media.groups import tell_worker
from media.models import MediaWorker, Path, Placement
from media.turn import ice_servers
from meetings.events import MeetingEnded, PlaceEnded
from meetings.lifecycle import PlaceState
from meetings.models import Meeting, Participation
from meetings.presence import SEEN_LASTS
from meetings.rooms import place_group
from outbox.publishing import publish
from outbox.topics import GROUP_TOPIC


def open_path(participation_id: UUID, *, keep: bool = False) -> Path:
    """A new media attempt for this place. ``keep``: only if it has none that could still live."""
    with transaction.atomic():
        place = _locked(participation_id)
        path = _path(place)
        if not (keep and path.ready):
            _attempt(place, path)
        return path


def restart_path(participation_id: UUID, epoch: int) -> None:
    """The page says that its path of ``epoch`` is lost. An older epoch's complaint is stale."""
    with transaction.atomic():
        place = _locked(participation_id)
        path = _path(place)
        if path.epoch != epoch:
            return
        _move_if_worker_is_gone(place.meeting)  # a private call has no placement to move
        _attempt(place, path)


def media_message(participation_id: UUID) -> wire.Media | None:
    """What the page is told to open, with fresh relay credentials; None before its first path."""
    path = Path.objects.filter(participation_id=participation_id).select_related("meeting").first()
    return message_of(path) if path is not None else None


def message_of(path: Path) -> wire.Media:
    """What the page is told to open for ``path`` as it stands."""
    governed = path.meeting.mode == wire.Mode.GOVERNED
    return wire.Media(
        path="worker" if governed else "peer",
        epoch=path.epoch,
        ready=path.ready,
        offers=path.offers,
        peer=path.peer_id,
        relay_only=path.meeting.relay_only,
        ice_servers=ice_servers(),
    )


def end_place(news: PlaceEnded) -> None:
    """Somebody is out: their media stops now, whatever their browser does."""
    path = Path.objects.filter(participation_id=news.participation_id).first()
    if path is None:
        return
    placement = placement_of(news.meeting_id)
    if placement is not None:
        tell_worker(
            placement.worker_id,
            "revoke",
            room=str(news.meeting_id),
            participant=str(news.participation_id),
            epoch=path.epoch,
        )
    Path.objects.filter(pk=path.pk).update(ready=False, leased_until=None, peer=None)
    # The other side of a private call has nobody to send to any more.
    for other in Path.objects.filter(peer_id=news.participation_id):
        Path.objects.filter(pk=other.pk).update(ready=False, peer=None, epoch=other.epoch + 1)
        _hint(other)


def end_room(news: MeetingEnded) -> None:
    placement = placement_of(news.meeting_id)
    if placement is not None:
        tell_worker(placement.worker_id, "close_room", room=str(news.meeting_id))
        Placement.objects.filter(pk=placement.pk).update(ended_at=database_now())
    Path.objects.filter(meeting_id=news.meeting_id).update(
        ready=False, leased_until=None, peer=None
    )


def placement_of(meeting_id: UUID) -> Placement | None:
    """Where the meeting's room is; None while it is nowhere."""
    return (
        Placement.objects.filter(meeting_id=meeting_id, ended_at__isnull=True)
        .select_related("worker")
        .first()
    )


def reopen_rooms_of(worker_id: UUID, present: set[tuple[UUID, UUID, int]]) -> None:
    """Reconcile with what a worker that just dialled in says it holds.

    ``present``: (room, participant, epoch). Whoever is in a call and not held gets a new attempt.
    """
    with transaction.atomic():
        rooms = Placement.objects.filter(worker_id=worker_id, ended_at__isnull=True)
        for placement in rooms.select_related("meeting"):
            _reopen(placement.meeting, present)
        for meeting in _homeless():
            _reopen(meeting, present)
        for room, participant, epoch in present:
            path = Path.objects.filter(participation_id=participant).first()
            if path is None or not path.ready or path.epoch > epoch:
                tell_worker(
                    worker_id,
                    "revoke",
                    room=str(room),
                    participant=str(participant),
                    epoch=epoch,
                )


def leave_worker(worker_id: UUID) -> None:
    """The worker is gone: its rooms move, or wait for another one."""
    with transaction.atomic():
        for placement in Placement.objects.filter(
            worker_id=worker_id, ended_at__isnull=True
        ).select_related("meeting"):
            Placement.objects.filter(pk=placement.pk).update(ended_at=database_now())
            _reopen(placement.meeting, set())


def renew_leases(worker_id: UUID) -> None:
    """Prolong the leases of everybody still in a call on this worker."""
    half = settings.LEASE_SECONDS / 2
    with transaction.atomic():
        for placement in Placement.objects.filter(worker_id=worker_id, ended_at__isnull=True):
            for path in Path.objects.filter(
                meeting_id=placement.meeting_id,
                ready=True,
                participation__state=PlaceState.ADMITTED,
            ).select_related("meeting"):
                left = (
                    (path.leased_until - database_now()).total_seconds() if path.leased_until else 0
                )
                if left < half:
                    _lease(placement, path)


def lease_token(worker_id: UUID, participation_id: UUID) -> str | None:
    """A lease for the place as it stands now; None when it is no longer that worker's."""
    path = (
        Path.objects.filter(participation_id=participation_id, ready=True)
        .select_related("meeting")
        .first()
    )
    placement = placement_of(path.meeting_id) if path is not None else None
    if path is None or placement is None or placement.worker_id != worker_id:
        return None
    return leases.issue(worker_id, path).token


def _reopen(meeting: Meeting, present: set[tuple[UUID, UUID, int]]) -> None:
    for place in _in_call(meeting):
        path = _path(place)
        if (meeting.pk, place.pk, path.epoch) not in present or not path.ready:
            _to_worker(place, path)


def _homeless() -> list[Meeting]:
    """Governed meetings with people in the call and no placement."""
    return [
        meeting
        for meeting in Meeting.objects.filter(
            mode=wire.Mode.GOVERNED,
            participations__socket__isnull=False,
            participations__state=PlaceState.ADMITTED,
        ).distinct()
        if placement_of(meeting.pk) is None
    ]


def _in_call(meeting: Meeting) -> list[Participation]:
    return list(
        Participation.objects.filter(
            meeting=meeting,
            state=PlaceState.ADMITTED,
            socket__isnull=False,
            socket_purpose=wire.Purpose.JOIN,
            seen_at__gt=database_now() - SEEN_LASTS,
        ).select_related("meeting")
    )


def _locked(participation_id: UUID) -> Participation:
    return (
        Participation.objects.select_for_update().select_related("meeting").get(pk=participation_id)
    )


def _path(place: Participation) -> Path:
    path, _ = Path.objects.get_or_create(
        participation=place,
        defaults={"organisation_id": place.organisation_id, "meeting": place.meeting},
    )
    path.meeting = place.meeting  # it was read with the place
    return path


def _attempt(place: Participation, path: Path) -> None:
    """A new epoch on the way that the meeting's mode promises."""
    if place.meeting.mode == wire.Mode.PRIVATE:
        _pair(place, path)
    else:
        _to_worker(place, path)


def _pair(place: Participation, path: Path) -> None:
    """A private call: both sides get one new epoch; who opens it makes the offer."""
    others = [other for other in _in_call(place.meeting) if other.pk != place.pk]
    highest = Path.objects.filter(meeting=place.meeting).aggregate(top=Max("epoch"))["top"] or 0
    epoch = highest + 1
    peer = others[0] if others else None
    _set(path, epoch=epoch, offers=True, ready=peer is not None, peer=peer)
    if peer is not None:
        _set(_path(peer), epoch=epoch, offers=False, ready=True, peer=place)


def _to_worker(place: Participation, path: Path) -> None:
    """A governed call: a new epoch on the room's worker, if there is one."""
    placement = placement_of(place.meeting_id) or _placed(place.meeting)
    _set(path, epoch=path.epoch + 1, offers=True, ready=placement is not None, peer=None)
    if placement is not None:
        _lease(placement, path)


def _set(path: Path, **changes: object) -> None:
    for name, value in changes.items():
        setattr(path, name, value)
    path.save(update_fields=list(changes))
    _hint(path)


def _hint(path: Path) -> None:
    publish(
        GROUP_TOPIC,
        path.organisation_id,
        {"group": place_group(path.participation_id), "message": {"type": "media.changed"}},
    )


def _lease(placement: Placement, path: Path) -> None:
    # The token is minted by whoever hands it to the worker: none lies in the outbox.
    Path.objects.filter(pk=path.pk).update(leased_until=leases.ends_at())
    tell_worker(placement.worker_id, "lease", participant=str(path.participation_id))
    announce(RoomLeased(placement.organisation_id, path.meeting_id, placement.worker_id))


def _placed(meeting: Meeting) -> Placement | None:
    """Put the room on the present worker with the fewest people; None without one."""
    worker = (
        MediaWorker.objects.filter(
            state="enrolled",
            present_until__gt=database_now(),
            participants__lt=F("capacity"),
        )
        .order_by("participants", "pk")
        .first()
    )
    if worker is None:
        return None
    return Placement.objects.create(
        organisation_id=meeting.organisation_id, meeting=meeting, worker=worker
    )


def _move_if_worker_is_gone(meeting: Meeting) -> None:
    placement = placement_of(meeting.pk)
    if placement is not None and not placement.worker.is_present():
        Placement.objects.filter(pk=placement.pk).update(ended_at=database_now())
