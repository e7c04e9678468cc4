"""Media workers: enrolled once, known by their signature, present by a lease."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from access.verbs import Verb
from accounts.actors import stranger
from audit.clock import database_now
from audit.models import TrailRow
from foundation.actor import anonymous, service
from foundation.errors import ConsiliumError
from foundation.wire.worker import ASSERTION_AUDIENCE
from media.actions import workers
from media.models import PRESENCE_LASTS, Enrolment, MediaWorker, SpentAssertion
from media.tasks import forget_expired_assertions
from tests.audit.reading import deeds, refused
from tests.meetings.visit import acting_through, verified

pytestmark = [pytest.mark.usefixtures("cast"), pytest.mark.filterwarnings("ignore")]

ALGORITHM = "Ed25519"


def fresh_key() -> tuple[OKPKey, str]:
    pair = OKPKey.generate_key("Ed25519")
    return pair, str(pair.as_dict(private=False)["x"])


@pytest.fixture
def identity() -> tuple[OKPKey, MediaWorker]:
    pair, public = fresh_key()
    return pair, workers.enrol(workers.invite_worker(service("prepare")), public, "worker-1")


def assertion(pair: OKPKey, worker: MediaWorker, **changed: object) -> str:
    now = int(database_now().timestamp())
    claims = {
        "iss": str(worker.pk),
        "aud": ASSERTION_AUDIENCE,
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid4()),
        **changed,
    }
    claims = {name: value for name, value in claims.items() if value is not ...}
    return jwt.encode({"alg": ALGORITHM}, claims, pair, algorithms=[ALGORITHM])


# ------------------------------------------------------------ enrolment


def test_a_code_makes_one_worker(identity):
    _, worker = identity
    assert worker.state == "enrolled"
    (row,) = deeds(Verb.WORKER_ENROL)
    assert str(worker.pk) in row.body
    assert not worker.is_present()


def test_a_code_serves_once():
    code = workers.invite_worker(service("prepare"))
    workers.enrol(code, fresh_key()[1], "worker-1")
    with pytest.raises(ConsiliumError, match="enrolment_refused"):
        workers.enrol(code, fresh_key()[1], "worker-2")
    row = TrailRow.objects.latest("id")
    assert (row.tag, row.reason) == (Verb.WORKER_ENROL.value, "wrong_state")
    assert MediaWorker.objects.count() == 1


@pytest.mark.parametrize("code", ["", "x", "x" * 32, "ünïcode", "\0"])
def test_an_unknown_code_makes_none(code):
    workers.invite_worker(service("prepare"))
    with refused(Verb.WORKER_ENROL, "enrolment_refused"):
        workers.enrol(code, fresh_key()[1], "worker-1")


def test_an_expired_code_makes_none():
    code = workers.invite_worker(service("prepare"))
    Enrolment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(ConsiliumError, match="enrolment_refused"):
        workers.enrol(code, fresh_key()[1], "worker-1")
    assert not MediaWorker.objects.exists()
    row = TrailRow.objects.latest("id")
    assert (row.tag, row.outcome) == (Verb.WORKER_ENROL.value, "refused")
    assert (row.reason, row.subject) == ("wrong_state", f"enrolment:{Enrolment.objects.get().pk}")


@pytest.mark.parametrize(
    "public",
    ["", "x", "%" * 43, "A" * 42, "A" * 44, "ü" * 43, base64.b64encode(b"x" * 31).decode()],
)
def test_what_is_no_key_makes_no_worker_and_spends_no_code(public):
    code = workers.invite_worker(service("prepare"))
    with pytest.raises(ConsiliumError, match="enrolment_refused"):
        workers.enrol(code, public, "worker-1")
    assert not MediaWorker.objects.exists()
    assert Enrolment.objects.get().state == "issued"


def test_one_key_is_one_worker(identity):
    _, worker = identity
    code = workers.invite_worker(service("prepare"))
    with pytest.raises(ConsiliumError, match="enrolment_refused"):
        workers.enrol(code, worker.public_key, "twin")
    assert MediaWorker.objects.count() == 1


def test_the_code_is_stored_as_a_hash_only():
    code = workers.invite_worker(service("prepare"))
    assert code not in Enrolment.objects.get().code_hash
    assert code not in "".join(TrailRow.objects.values_list("body", flat=True))


@pytest.mark.parametrize("who", ["clinician", "officer", "coordinator"])
def test_who_does_not_run_machines_invites_no_worker(cast, who):
    with refused(Verb.WORKER_INVITE, "not_permitted"):
        workers.invite_worker(cast.acting(getattr(cast, who)))
    with refused(Verb.WORKER_INVITE, "sign_in_required"):
        workers.invite_worker(anonymous())


def test_the_administrator_invites_a_worker(cast):
    assert workers.invite_worker(cast.acting(cast.administrator))


def enrol_by_http(body: object):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client(headers={"host": "localhost"}).post(
        "/media/enrol", content, content_type="application/json", secure=True
    )


def test_a_worker_enrols_over_http():
    code = workers.invite_worker(service("prepare"))
    answer = enrol_by_http({"code": code, "public_key": fresh_key()[1], "name": "worker-1"})
    assert answer.status_code == 200
    assert answer.json() == {
        "worker": str(MediaWorker.objects.get().pk),
        "link_path": "/media/link",
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b"[" * 2000, 400),
        ({}, 400),
        ({"code": "x" * 32, "public_key": "A" * 43}, 400),
        ({"code": "x" * 32, "public_key": "A" * 43, "name": "Not A Name"}, 400),
        ({"code": "x" * 32, "public_key": "A" * 43, "name": "../../etc"}, 400),
        ({"code": "x" * 32, "public_key": "A" * 43, "name": "a", "more": 1}, 400),
        ({"code": 7, "public_key": "A" * 43, "name": "a"}, 400),
        ({"code": "x" * 32, "public_key": "A" * 43, "name": "a"}, 403),
        (b"x" * 3000, 413),
    ],
)
def test_a_malformed_enrolment_is_a_problem(body, status):
    answer = enrol_by_http(body)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert not MediaWorker.objects.exists()
    code = {400: "form_invalid", 403: "enrolment_refused", 413: "message_too_large"}[status]
    assert answer.json()["code"] == code
    row = TrailRow.objects.get(outcome="refused")
    assert (row.tag, row.reason) == (Verb.WORKER_ENROL.value, code)


def test_a_key_that_is_none_or_a_workers_already_is_written_down(identity):
    _, worker = identity
    code = workers.invite_worker(service("prepare"))
    for number, key in enumerate(("A" * 44, worker.public_key), 1):
        answer = enrol_by_http({"code": code, "public_key": key, "name": "twin"})
        assert (answer.status_code, answer.json()["code"]) == (403, "enrolment_refused")
        found = TrailRow.objects.filter(tag=Verb.WORKER_ENROL.value, reason="enrolment_refused")
        assert found.count() == number


def test_a_refused_assertion_names_the_worker_it_claims(identity):
    _, worker = identity
    with refused(Verb.WORKER_LINK, "worker_unknown"):
        workers.worker_of(assertion(fresh_key()[0], worker), stranger("198.51.100.7"))
    row = TrailRow.objects.latest("id")
    assert (row.actor, row.subject) == ("anonymous:-", f"worker:{worker.pk}")
    assert stranger("198.51.100.7").source in row.body
    assert "198.51.100.7" not in row.body


# ------------------------------------------------------------ assertions


def test_a_signed_assertion_names_its_worker(identity):
    pair, worker = identity
    assert workers.worker_of(assertion(pair, worker)) == worker


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 1},
        {"iat": 1},
        {"aud": "consilium:media-worker"},
        {"aud": [ASSERTION_AUDIENCE]},
        {"aud": None},
        {"aud": ...},
        {"iat": ...},
        {"exp": ...},
        {"iat": "x"},
        {"exp": None},
        {"exp": 1e308},
        {"iat": -1e308},
        {"iss": str(uuid4())},
        {"jti": ...},
        {"jti": None},
        {"jti": 7},
        {"jti": "1"},
    ],
)
def test_an_assertion_of_another_shape_is_refused(identity, changed):
    pair, worker = identity
    with refused(Verb.WORKER_LINK, "worker_unknown"):
        workers.worker_of(assertion(pair, worker, **changed))


@pytest.mark.parametrize(
    ("begins", "lasts"),
    [(0, 61), (0, 3600), (60, 60), (6, 30), (-70, 60), (-3600, 7200)],
)
def test_an_assertion_lasts_a_minute_and_is_of_now(identity, begins, lasts):
    pair, worker = identity
    issued = int(database_now().timestamp()) + begins
    with refused(Verb.WORKER_LINK, "worker_unknown"):
        workers.worker_of(assertion(pair, worker, iat=issued, exp=issued + lasts))


@pytest.mark.parametrize("begins", [-30, -3, 0, 3])
def test_clocks_may_differ_by_a_little(identity, begins):
    pair, worker = identity
    issued = int(database_now().timestamp()) + begins
    assert workers.worker_of(assertion(pair, worker, iat=issued, exp=issued + 60))


def test_an_assertion_opens_one_link(identity):
    pair, worker = identity
    one = assertion(pair, worker)
    assert workers.worker_of(one) == worker
    for _ in range(2):
        with refused(Verb.WORKER_LINK, "assertion_spent"):
            workers.worker_of(one)
    row = TrailRow.objects.latest("id")
    assert str(worker.pk) in row.body, "the trail says whose it was"
    assert row.actor == "anonymous:-", "and not that the worker did it"
    assert workers.worker_of(assertion(pair, worker)) == worker


def test_an_id_that_was_spent_cannot_be_signed_again(identity):
    pair, worker = identity
    jti = uuid4()
    assert workers.worker_of(assertion(pair, worker, jti=str(jti)))
    with refused(Verb.WORKER_LINK, "assertion_spent"):
        workers.worker_of(assertion(pair, worker, jti=jti.hex.upper()))


def test_what_was_refused_is_not_spent(identity):
    pair, worker = identity
    jti = str(uuid4())
    with refused(Verb.WORKER_LINK, "worker_unknown"):
        workers.worker_of(assertion(fresh_key()[0], worker, jti=jti))
    assert workers.worker_of(assertion(pair, worker, jti=jti))


def test_spent_assertions_are_kept_until_no_clock_takes_them(identity):
    pair, worker = identity
    issued = int(database_now().timestamp()) - 55
    one = assertion(pair, worker, iat=issued, exp=issued + 60)
    workers.worker_of(one)
    forget_expired_assertions()
    with refused(Verb.WORKER_LINK, "assertion_spent"):
        workers.worker_of(one)
    SpentAssertion.objects.update(expires_at=database_now() - timedelta(seconds=61))
    forget_expired_assertions()
    assert not SpentAssertion.objects.exists()


def test_a_key_of_somebody_else_is_refused(identity):
    _, worker = identity
    with refused(Verb.WORKER_LINK, "worker_unknown"):
        workers.worker_of(assertion(fresh_key()[0], worker))


def test_one_worker_does_not_speak_for_another(identity):
    pair, _ = identity
    code = workers.invite_worker(service("prepare"))
    other = workers.enrol(code, fresh_key()[1], "worker-2")
    with refused(Verb.WORKER_LINK, "worker_unknown"):
        workers.worker_of(assertion(pair, other))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_assertion_by_another_algorithm_is_refused(identity, algorithm):
    _, worker = identity
    now = int(database_now().timestamp())
    claims = {"iss": str(worker.pk), "aud": ASSERTION_AUDIENCE, "iat": now, "exp": now + 60}

    def b64(data: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    if algorithm == "none":
        forged = f"{b64({'alg': 'none'})}.{b64(claims)}."
    else:
        secret = OctKey.import_key(worker.public_key.encode())
        forged = jwt.encode({"alg": "HS256"}, claims, secret, algorithms=["HS256"])
    with refused(Verb.WORKER_LINK, "worker_unknown"):
        workers.worker_of(forged)


def _unsigned(payload: bytes) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": ALGORITHM}).encode()).rstrip(b"=").decode()
    return f"{head}.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}.AA"


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "a.b.c",
        "ünïcode",
        "\0",
        _unsigned(b"[]"),
        _unsigned(b"7"),
        _unsigned(b'"iss"'),
        _unsigned(b'{"iss": 7}'),
        _unsigned(b'{"iss": null}'),
        _unsigned(b'{"iss": ["x"]}'),
        _unsigned(b'{"iss": "x"}'),
        _unsigned(b"{}"),
        _unsigned(b"[" * 1400),
        _unsigned(b"\xff\xfe"),
    ],
)
def test_garbage_is_no_assertion(garbage):
    with refused(Verb.WORKER_LINK, "worker_unknown"):
        workers.worker_of(garbage)


def test_a_worker_that_was_retired_is_refused(identity):
    pair, worker = identity
    MediaWorker.objects.filter(pk=worker.pk).update(state="retired")
    with refused(Verb.WORKER_LINK, "wrong_state"):
        workers.worker_of(assertion(pair, worker))


# ------------------------------------------------------------ presence


def test_presence_is_a_lease(identity):
    _, worker = identity
    link = uuid4()
    workers.begin_presence(worker, link, 50)
    worker.refresh_from_db()
    assert worker.is_present()
    assert (worker.link, worker.capacity) == (link, 50)
    assert worker.present_until <= database_now() + PRESENCE_LASTS
    assert len(deeds(Verb.WORKER_LINK)) == 1
    MediaWorker.objects.update(present_until=timezone.now() - timedelta(seconds=1))
    worker.refresh_from_db()
    assert not worker.is_present()
    assert workers.renew_presence(worker.pk, link, 7, 12.5)
    worker.refresh_from_db()
    assert worker.is_present()
    assert (worker.participants, worker.cpu_percent) == (7, 12.5)


def test_a_newer_link_takes_over(identity):
    _, worker = identity
    old, new = uuid4(), uuid4()
    workers.begin_presence(worker, old, 50)
    workers.begin_presence(worker, new, 50)
    assert not workers.renew_presence(worker.pk, old, 1, 1)
    workers.end_presence(worker.pk, old)
    worker.refresh_from_db()
    assert worker.is_present(), "the old link's end is not the worker's"
    workers.end_presence(worker.pk, new)
    worker.refresh_from_db()
    assert not worker.is_present()


def test_nobody_else_begins_a_workers_presence(cast, identity):
    from access import gate

    _, worker = identity
    _, issued = cast.meeting()
    impostors = [
        anonymous(),
        service("mailer"),
        cast.acting(cast.administrator),
        acting_through(verified(issued)),
        workers.actor_of(MediaWorker(name="other")),
    ]
    for actor in impostors:
        assert not gate.allows(actor, Verb.WORKER_LINK, worker), actor
    assert gate.allows(workers.actor_of(worker), Verb.WORKER_LINK, worker)


def test_who_is_lost_is_who_holds_rooms_and_is_gone(cast, identity):
    from media.models import Placement

    _, worker = identity
    assert workers.lost_workers() == []
    meeting, _ = cast.meeting()
    Placement.objects.create(organisation_id=cast.hospital.pk, meeting=meeting, worker=worker)
    assert workers.lost_workers() == [worker.pk]
    workers.begin_presence(worker, uuid4(), 50)
    assert workers.lost_workers() == []
    MediaWorker.objects.update(present_until=timezone.now() - timedelta(seconds=1))
    assert workers.lost_workers() == [worker.pk]
    Placement.objects.update(ended_at=timezone.now())
    assert workers.lost_workers() == []
