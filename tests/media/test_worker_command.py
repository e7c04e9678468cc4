"""``manage.py media_worker``: invited once, listed as they are, withdrawn for good."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from joserfc.jwk import OKPKey

from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import anonymous, service
from media.actions import paths, workers
from media.models import MediaWorker, Placement
from meetings.models import Meeting
from outbox.models import OutboxRow
from tests.audit.reading import deeds, refused

pytestmark = [pytest.mark.usefixtures("cast"), pytest.mark.filterwarnings("ignore")]


def run(*arguments: str) -> tuple[str, str]:
    """What it said on standard output, and beside it."""
    out, beside = StringIO(), StringIO()
    call_command("media_worker", *arguments, stdout=out, stderr=beside)
    return out.getvalue(), beside.getvalue()


def enrolled(name: str) -> MediaWorker:
    code = run("invite")[0].strip()
    public = str(OKPKey.generate_key("Ed25519").as_dict(private=False)["x"])
    return workers.enrol(code, public, name)


def test_an_invitation_is_a_code_that_enrols_one_worker():
    out, beside = run("invite")
    code = out.strip()
    assert out == f"{code}\n", "nothing but the code, to be piped"
    assert "60 minutes" in beside
    public = str(OKPKey.generate_key("Ed25519").as_dict(private=False)["x"])
    assert workers.enrol(code, public, "worker-2").name == "worker-2"
    (row,) = deeds(Verb.WORKER_INVITE)
    assert "operator" in row.body
    assert code not in row.body


def test_the_list_says_who_is_connected():
    here, gone = enrolled("worker-1"), enrolled("worker-2")
    workers.begin_presence(here, uuid4(), 50)
    lines = run("list")[0].splitlines()
    assert lines == [
        f"worker-1         {here.pk}  connected, 0 of 50 people",
        f"worker-2         {gone.pk}  not connected",
    ]
    run("withdraw", "worker-2")
    assert run("list")[0].splitlines()[1].endswith("  withdrawn")


def test_a_withdrawn_worker_is_cut_off_and_not_let_back():
    worker, link = enrolled("worker-1"), uuid4()
    workers.begin_presence(worker, link, 50)
    out, _ = run("withdraw", "worker-1")
    assert out == f"worker-1 ({worker.pk}) is withdrawn; its calls have moved on.\n"
    worker.refresh_from_db()
    assert not worker.is_present()
    assert not workers.renew_presence(worker.pk, link, 0, 0.0)
    hint = OutboxRow.objects.latest("id").payload
    assert hint["message"] == {"type": "worker.withdrawn"}
    with refused(Verb.WORKER_LINK, "wrong_state"):
        workers.begin_presence(worker, uuid4(), 50)
    (row,) = deeds(Verb.WORKER_WITHDRAW)
    assert str(worker.pk) in row.body


def test_the_rooms_of_a_withdrawn_worker_move(cast):
    bad, good = enrolled("worker-1"), enrolled("worker-2")
    meeting: Meeting = cast.meeting()[0]
    Placement.objects.create(organisation_id=meeting.organisation_id, meeting=meeting, worker=bad)
    workers.begin_presence(good, uuid4(), 50)
    run("withdraw", str(bad.pk))
    assert paths.placement_of(meeting.pk) is None
    assert workers.lost_workers() == []
    assert Placement.objects.get(worker=bad).ended_at <= database_now() + timedelta(seconds=1)


def test_who_is_withdrawn_already_or_unknown_is_one_line():
    worker = enrolled("worker-1")
    run("withdraw", "worker-1")
    for name, words in (
        ("worker-1", f"worker-1 ({worker.pk}) is withdrawn already."),
        ("worker-9", "There is no media worker worker-9; see: media_worker list"),
        (str(uuid4()), "There is no media worker"),
    ):
        with pytest.raises(CommandError) as caught:
            run("withdraw", name)
        assert str(caught.value).startswith(words)


def test_a_name_that_two_have_names_neither():
    pair = [enrolled("worker-1"), enrolled("worker-1")]
    with pytest.raises(CommandError, match="name one by its id") as caught:
        run("withdraw", "worker-1")
    assert all(str(worker.pk) in str(caught.value) for worker in pair)
    run("withdraw", str(pair[0].pk))
    run("withdraw", "worker-1")
    assert {worker.state for worker in MediaWorker.objects.all()} == {"withdrawn"}


@pytest.mark.parametrize("who", ["clinician", "officer", "coordinator"])
def test_who_does_not_run_machines_withdraws_no_worker(cast, who):
    worker = enrolled("worker-1")
    with refused(Verb.WORKER_WITHDRAW, "not_permitted"):
        workers.withdraw_worker(cast.acting(getattr(cast, who)), worker.pk)
    with refused(Verb.WORKER_WITHDRAW, "sign_in_required"):
        workers.withdraw_worker(anonymous(), worker.pk)
    with refused(Verb.WORKER_WITHDRAW, "not_permitted"):
        workers.withdraw_worker(workers.actor_of(worker), worker.pk)


def test_an_administrator_withdraws_a_worker(cast):
    worker = enrolled("worker-1")
    assert workers.withdraw_worker(cast.acting(cast.administrator), worker.pk)
    with refused(Verb.WORKER_WITHDRAW, "wrong_state"):
        workers.withdraw_worker(service("operator"), worker.pk)
