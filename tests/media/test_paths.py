"""Media paths: who connects to whom, on which worker, at which epoch, and when it ends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from audit.clock import database_now
from foundation.wire.browser import Mode, Purpose
from foundation.wire.worker import LEASE_AUDIENCE, LeaseClaims
from media import turn
from media.actions import paths, workers
from media.models import MediaWorker, Path, Placement
from meetings.actions import enter, host, plan, verify
from meetings.models import Meeting, Participation, Seat
from outbox.models import OutboxRow
from tests.cast import INTERPRETER_EMAIL, INTERPRETER_NAME, PATIENT_NAME
from tests.meetings.visit import acting_through, admitted, code_for, host_seated, redeemed
from vault import signing
from vault.models import SigningKey

pytestmark = pytest.mark.filterwarnings("ignore")


def worker(name: str, participants: int = 0, *, present: bool = True) -> MediaWorker:
    row = MediaWorker.objects.create(name=name, public_key=name.ljust(43, "x"))
    if present:
        link = uuid4()
        workers.begin_presence(row, link, 100)
        workers.renew_presence(row.pk, link, participants, 1.0)
    return row


def gone(row: MediaWorker) -> None:
    MediaWorker.objects.filter(pk=row.pk).update(
        present_until=timezone.now() - timedelta(seconds=1)
    )


def connected(seat: Seat) -> UUID:
    """The seat's place with a page in the call."""
    enter.connect(Seat.objects.get(pk=seat.pk), Purpose.JOIN, uuid4())
    return seat.participation_id


def call(cast, mode: Mode) -> tuple[Meeting, UUID, UUID]:
    """A meeting with its host and its guest connected; no media yet."""
    meeting, issued = cast.meeting(mode)
    cast.issued = issued
    host_seat, _ = host_seated(cast, meeting)
    cast.guest_seat = admitted(cast, meeting, issued)
    return meeting, connected(host_seat), connected(cast.guest_seat)


def path(place: UUID) -> Path:
    return Path.objects.get(participation_id=place)


def told(kind: str) -> list[dict]:
    """What workers were told, oldest first."""
    return [
        {**row.payload["message"], "group": row.payload["group"]}
        for row in OutboxRow.objects.filter(topic="group").order_by("id")
        if row.payload["message"]["type"] == f"worker.{kind}"
    ]


def leases_told() -> list[LeaseClaims]:
    """The claims of each lease that a worker was told to fetch, as it would be minted now."""
    tokens = [token_of(lease) for lease in told("lease")]
    return [
        LeaseClaims.model_validate(signing.verify(SigningKey.Purpose.LEASE, token))
        for token in tokens
        if token is not None
    ]


def token_of(lease: dict) -> str | None:
    assert "token" not in lease, "no token lies in the outbox"
    worker_id = UUID(hex=lease["group"].removeprefix("worker."))
    return paths.lease_token(worker_id, UUID(lease["participant"]))


# ------------------------------------------------------------ private: browser to browser


def test_alone_in_a_private_call_one_waits_for_the_other(cast):
    _, first, _ = call(cast, Mode.PRIVATE)
    Participation.objects.exclude(pk=first).update(socket=None)
    paths.open_path(first)
    assert (path(first).ready, path(first).peer_id) == (False, None)
    media = paths.media_message(first)
    assert (media.path, media.ready, media.peer) == ("peer", False, None)


def test_both_sides_of_a_private_call_share_an_epoch_and_one_offers(cast):
    _, first, second = call(cast, Mode.PRIVATE)
    paths.open_path(first)
    paths.open_path(second)
    one, other = path(first), path(second)
    assert one.epoch == other.epoch > 0
    assert (one.offers, other.offers) == (False, True)
    assert one.ready
    assert other.ready
    assert (one.peer_id, other.peer_id) == (second, first)


def test_each_new_attempt_has_a_higher_epoch_for_both(cast):
    _, first, second = call(cast, Mode.PRIVATE)
    epochs = []
    for place in (first, second, first, second, second):
        paths.open_path(place)
        assert path(first).epoch == path(second).epoch
        epochs.append(path(first).epoch)
    assert epochs == sorted(set(epochs))


def test_a_page_that_kept_its_media_gets_no_new_attempt(cast):
    _, first, second = call(cast, Mode.PRIVATE)
    paths.open_path(first)
    paths.open_path(second)
    before = path(first).epoch
    paths.open_path(first, keep=True)
    assert path(first).epoch == path(second).epoch == before


def test_a_page_that_says_it_kept_what_it_never_had_gets_an_attempt(cast):
    _, first, _ = call(cast, Mode.PRIVATE)
    paths.open_path(first, keep=True)
    assert path(first).epoch == 1


@pytest.mark.parametrize("mode", Mode)
def test_a_complaint_about_an_older_attempt_changes_nothing(cast, mode):
    worker("worker-1")
    _, first, second = call(cast, mode)
    paths.open_path(first)
    paths.open_path(second)
    paths.restart_path(second, path(second).epoch)
    now = path(second).epoch
    hints = OutboxRow.objects.count()
    for stale in (0, now - 1, now + 1, 10**6):
        paths.restart_path(second, stale)
    assert path(second).epoch == now
    assert OutboxRow.objects.count() == hints


def test_both_sides_complaining_make_one_new_attempt(cast):
    _, first, second = call(cast, Mode.PRIVATE)
    paths.open_path(first)
    paths.open_path(second)
    lost = path(first).epoch
    paths.restart_path(first, lost)
    paths.restart_path(second, lost)
    assert path(first).epoch == path(second).epoch == lost + 1


def test_when_one_side_leaves_the_other_sends_to_nobody(cast):
    meeting, first, second = call(cast, Mode.PRIVATE)
    paths.open_path(first)
    paths.open_path(second)
    lost = path(first).epoch
    host.leave(acting_through(cast.guest_seat), second)
    assert (path(second).ready, path(second).peer_id) == (False, None)
    assert (path(first).ready, path(first).peer_id) == (False, None)
    assert path(first).epoch > lost
    del meeting


def test_a_private_call_uses_no_worker(cast):
    worker("worker-1")
    _, first, second = call(cast, Mode.PRIVATE)
    paths.open_path(first)
    paths.open_path(second)
    assert not Placement.objects.exists()
    assert not told("lease")


# ------------------------------------------------------------ governed: through a worker


def test_a_room_is_placed_on_the_least_loaded_worker_that_is_there(cast):
    worker("absent", present=False)
    gone(worker("lost", participants=0))
    busy, idle = worker("busy", participants=9), worker("idle", participants=2)
    meeting, first, second = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    assert paths.placement_of(meeting.pk).worker == idle
    MediaWorker.objects.filter(pk=idle.pk).update(participants=99)
    paths.open_path(second)
    assert paths.placement_of(meeting.pk).worker == idle, "a room stays together"
    assert Placement.objects.count() == 1
    del busy


def test_a_lease_says_who_where_which_epoch_and_how(cast, settings):
    row = worker("worker-1")
    meeting, first, _ = call(cast, Mode.GOVERNED)
    Meeting.objects.update(relay_only=True)
    paths.open_path(first)
    (claims,) = leases_told()
    assert claims.aud == LEASE_AUDIENCE
    assert (claims.worker, claims.room, claims.participant) == (row.pk, meeting.pk, first)
    assert (claims.epoch, claims.mode, claims.relay_only) == (1, "governed", True)
    assert claims.exp - claims.iat == pytest.approx(settings.LEASE_SECONDS, abs=1)
    assert claims.exp > database_now().timestamp()
    assert path(first).leased_until is not None
    media = paths.media_message(first)
    assert (media.path, media.ready, media.offers, media.epoch) == ("worker", True, True, 1)


def test_a_lease_is_minted_for_who_is_still_that_workers(cast):
    row, other = worker("worker-1"), worker("worker-2", participants=5)
    _, first, second = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    assert paths.lease_token(row.pk, first)
    assert paths.lease_token(other.pk, first) is None, "placed on another worker"
    assert paths.lease_token(row.pk, second) is None, "no path yet"
    assert paths.lease_token(row.pk, uuid4()) is None
    Path.objects.update(ready=False)
    assert paths.lease_token(row.pk, first) is None, "out of the call"


def test_a_worker_that_is_full_is_given_no_room(cast):
    row = worker("worker-1", participants=100)
    _, first, _ = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    assert not path(first).ready
    MediaWorker.objects.filter(pk=row.pk).update(participants=99)
    paths.restart_path(first, path(first).epoch)
    assert path(first).ready


def test_a_lease_names_nobody(cast):
    worker("worker-1")
    _, _, guest = call(cast, Mode.GOVERNED)
    paths.open_path(guest)
    payload = (token_of(told("lease")[0]) or "").split(".")[1]
    text = base64.urlsafe_b64decode(payload + "==").decode()
    assert PATIENT_NAME not in text
    assert "name" not in text


def test_without_a_worker_a_governed_call_waits(cast):
    _, first, _ = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    assert not path(first).ready
    assert not Placement.objects.exists()
    row = worker("worker-1")
    paths.reopen_rooms_of(row.pk, set())
    assert path(first).ready
    assert told("lease")[-1]["group"] == f"worker.{row.pk.hex}"


def test_a_new_attempt_is_leased_anew_at_its_epoch(cast):
    worker("worker-1")
    _, first, _ = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    paths.restart_path(first, 1)
    assert [claims.epoch for claims in leases_told()] == [2, 2], "as it stands when handed over"


@pytest.mark.parametrize("deed", ["leave", "remove_participant"])
def test_who_is_out_is_revoked_at_once(cast, deed):
    row = worker("worker-1")
    meeting, first, second = call(cast, Mode.GOVERNED)
    paths.open_path(second)
    if deed == "leave":
        host.leave(acting_through(cast.guest_seat), second)
    else:
        host.remove_participant(cast.acting(cast.clinician), meeting.pk, second)
    (revoked,) = told("revoke")
    assert revoked == {
        "type": "worker.revoke",
        "group": f"worker.{row.pk.hex}",
        "room": str(meeting.pk),
        "participant": str(second),
        "epoch": 1,
    }
    assert (path(second).ready, path(second).leased_until) == (False, None)
    del first


def test_another_device_ends_the_media_of_the_first(cast):
    worker("worker-1")
    _, _, guest = call(cast, Mode.GOVERNED)
    paths.open_path(guest)
    seat = redeemed(cast.issued).seat
    verify.verify_code(acting_through(seat), seat.pk, code_for(seat))
    assert told("revoke")[-1]["participant"] == str(guest)
    assert not path(guest).ready


def test_the_end_of_a_meeting_closes_its_room(cast):
    row = worker("worker-1")
    meeting, first, second = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    paths.open_path(second)
    host.end_meeting(cast.acting(cast.clinician), meeting.pk)
    (closed,) = told("close_room")
    assert closed["group"] == f"worker.{row.pk.hex}"
    assert closed["room"] == str(meeting.pk)
    assert paths.placement_of(meeting.pk) is None
    assert not Path.objects.filter(ready=True).exists()


def test_the_rooms_of_a_lost_worker_move_to_another(cast):
    first_worker = worker("worker-1")
    meeting, first, second = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    paths.open_path(second)
    gone(first_worker)
    other = worker("worker-2")
    paths.leave_worker(first_worker.pk)
    assert paths.placement_of(meeting.pk).worker == other
    assert {path(place).epoch for place in (first, second)} == {2}
    assert {lease.worker for lease in leases_told()[-2:]} == {other.pk}


def test_the_rooms_of_the_last_worker_wait_for_one(cast):
    only = worker("worker-1")
    meeting, first, _ = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    gone(only)
    paths.leave_worker(only.pk)
    assert paths.placement_of(meeting.pk) is None
    assert not path(first).ready
    back = worker("worker-2")
    paths.reopen_rooms_of(back.pk, set())
    assert path(first).ready
    assert path(first).epoch == 3


def test_a_complaint_about_a_worker_that_is_gone_moves_the_room(cast):
    lost = worker("worker-1")
    meeting, first, _ = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    gone(lost)
    other = worker("worker-2")
    paths.restart_path(first, 1)
    assert paths.placement_of(meeting.pk).worker == other


def test_a_worker_that_returns_keeps_what_it_still_holds(cast):
    row = worker("worker-1")
    meeting, first, second = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    paths.open_path(second)
    paths.reopen_rooms_of(row.pk, {(meeting.pk, first, 1)})
    assert path(first).epoch == 1, "still held"
    assert path(second).epoch == 2, "lost with the worker's memory"
    assert not told("revoke")


def test_a_worker_that_returns_is_told_whom_to_drop(cast):
    row = worker("worker-1")
    meeting, first, second = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    paths.open_path(second)
    host.leave(acting_through(cast.guest_seat), second)
    OutboxRow.objects.all().delete()  # it was away and never heard of it
    stranger = uuid4()
    held = {(meeting.pk, first, 1), (meeting.pk, second, 1), (meeting.pk, stranger, 4)}
    paths.reopen_rooms_of(row.pk, held)
    revoked = {(message["participant"], message["epoch"]) for message in told("revoke")}
    assert revoked == {(str(second), 1), (str(stranger), 4)}


def test_a_worker_that_holds_an_older_attempt_is_told_to_drop_it(cast):
    row = worker("worker-1")
    meeting, first, _ = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    paths.restart_path(first, 1)
    paths.reopen_rooms_of(row.pk, {(meeting.pk, first, 1)})
    assert path(first).epoch == 3
    assert told("revoke")[-1]["epoch"] == 1


def test_leases_are_renewed_for_who_is_still_in_the_call(cast):
    row = worker("worker-1")
    _, first, second = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    paths.open_path(second)
    paths.renew_leases(row.pk)
    assert len(told("lease")) == 2, "fresh leases need no renewal"
    Path.objects.update(leased_until=timezone.now() + timedelta(seconds=1))
    host.leave(acting_through(cast.guest_seat), second)
    paths.renew_leases(row.pk)
    assert [command["participant"] for command in told("lease")[2:]] == [str(first)]
    assert leases_told()[-1].epoch == 1, "a renewal is no new attempt"


def test_a_page_that_is_gone_is_given_no_new_attempt(cast):
    row = worker("worker-1")
    _, first, second = call(cast, Mode.GOVERNED)
    paths.open_path(first)
    paths.open_path(second)
    Participation.objects.filter(pk=second).update(seen_at=timezone.now() - timedelta(minutes=1))
    paths.reopen_rooms_of(row.pk, set())
    assert (path(first).epoch, path(second).epoch) == (2, 1)


def test_before_the_first_attempt_there_is_nothing_to_open(cast):
    _, first, _ = call(cast, Mode.GOVERNED)
    assert paths.media_message(first) is None


def test_a_guest_of_another_meeting_is_no_peer(cast):
    _, first, _ = call(cast, Mode.PRIVATE)
    _, other, _ = call(cast, Mode.PRIVATE)
    Participation.objects.filter(meeting=Participation.objects.get(pk=other).meeting).exclude(
        pk=other
    ).update(socket=None)
    paths.open_path(other)
    assert path(other).peer_id is None
    del first


def test_a_third_person_is_held_by_the_same_room(cast):
    worker("worker-1")
    meeting, first, second = call(cast, Mode.GOVERNED)
    guest = plan.NewGuest(INTERPRETER_NAME, INTERPRETER_EMAIL)
    third = connected(
        admitted(cast, meeting, plan.invite_guest(cast.acting(cast.clinician), meeting.pk, guest))
    )
    for place in (first, second, third):
        paths.open_path(place)
    assert {lease.room for lease in leases_told()} == {meeting.pk}
    assert len({lease.jti for lease in leases_told()}) == 3


# ------------------------------------------------------------ the relay's credentials


def test_without_a_relay_there_are_no_servers(settings, db):
    settings.TURN_URLS = ()
    assert turn.ice_servers() == []


def test_a_relays_credential_ends_and_names_nobody(settings, db):
    settings.TURN_URLS = ("turns:relay.example.test:443?transport=tcp",)
    settings.TURN_SECRET = "shared with the relay"
    settings.TURN_SECONDS = 600
    (server,) = turn.ice_servers()
    assert server.urls == list(settings.TURN_URLS)
    assert re.fullmatch(r"\d+:[0-9a-f]{16}", server.username)
    ends = int(server.username.split(":")[0])
    assert 598 <= ends - database_now().timestamp() <= 600
    expected = hmac.new(b"shared with the relay", server.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(server.credential) == expected


def test_two_people_share_no_credential(settings, db):
    settings.TURN_URLS = ("turns:relay.example.test:443",)
    settings.TURN_SECRET = "s"
    names = {turn.ice_servers()[0].username for _ in range(20)}
    assert len(names) == 20
