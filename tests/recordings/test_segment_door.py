"""The media worker's door for segments, over HTTP."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from joserfc.jwk import OKPKey

from audit.models import TrailRow
from foundation.wire.worker import ASSERTION_AUDIENCE, SEGMENT_AUDIENCE
from media.models import MediaWorker
from recordings import storage
from recordings.models import Recording, Segment
from recordings.views import MAX_SEGMENT_BYTES
from tests.media.test_workers import assertion, fresh_key
from tests.recordings.calls import Call
from tests.recordings.test_roll import content, writer

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def pair(call: Call) -> OKPKey:
    pair, public = fresh_key()
    MediaWorker.objects.filter(pk=call.worker.pk).update(public_key=public)
    return pair


def put(call: Call, pair: OKPKey, where: str, body: bytes, **changed: object):
    claims = {"aud": SEGMENT_AUDIENCE, **changed}
    return Client().put(
        f"/media/segments/{where}",
        body,
        content_type="application/octet-stream",
        headers={"Authorization": f"Bearer {assertion(pair, call.worker, **claims)}"},
        secure=True,
    )


def shipped(recording: Recording) -> tuple[str, bytes]:
    run = writer(recording)
    return f"{recording.pk}/{run.run}/0", run.seal(content())


def test_a_segment_is_taken_and_taken_again(call: Call, pair: OKPKey):
    where, body = shipped(call.recording())
    assert put(call, pair, where, body).status_code == 201
    assert put(call, pair, where, body).status_code == 200
    assert Segment.objects.count() == 1


def test_what_proves_the_worker_elsewhere_proves_nothing_here(call: Call, pair: OKPKey):
    where, body = shipped(call.recording())
    one = str(uuid4())
    for changed, status in (
        ({"aud": ASSERTION_AUDIENCE}, 401),
        ({"aud": ...}, 401),
        ({"jti": one}, 201),
        ({"jti": one}, 401),
    ):
        assert put(call, pair, where, body, **changed).status_code == status, changed
    assert put(call, fresh_key()[0], where, body).status_code == 401
    for header in ({}, {"Authorization": "Bearer "}, {"Authorization": "Basic eDp5"}):
        answer = Client().put(f"/media/segments/{where}", body, headers=header, secure=True)
        assert answer.status_code == 401
        assert answer.json()["code"] == "worker_unknown"
    assert Segment.objects.count() == 1
    assert TrailRow.objects.filter(reason="worker_unknown").exists()


def test_refusals_have_the_status_that_the_worker_goes_by(call: Call, pair: OKPKey):
    recording = call.recording()
    where, body = shipped(recording)
    other = writer(recording)
    assert put(call, pair, where, body).status_code == 201
    run = where.split("/")[1]
    other.run = type(other.run)(run)
    assert put(call, pair, where, other.seal(content(9))).status_code == 409
    assert put(call, pair, f"{uuid4()}/{run}/0", body).status_code == 404
    assert put(call, pair, f"{recording.pk}/{run}/7", body).status_code == 400
    assert put(call, pair, f"{recording.pk}/{uuid4()}/0", b"junk").status_code == 400
    assert put(call, pair, f"{recording.pk}/{run}/-1", body).status_code == 404
    assert Client().get(f"/media/segments/{where}", secure=True).status_code == 405


def test_a_body_is_not_read_beyond_a_segment(call: Call, pair: OKPKey):
    where, _ = shipped(call.recording())
    assert put(call, pair, where, bytes(MAX_SEGMENT_BYTES + 1)).status_code == 413


def test_a_storage_that_is_away_is_a_reason_to_come_again(call: Call, pair: OKPKey, monkeypatch):
    from foundation.blobs import BlobsUnavailable

    where, body = shipped(call.recording())
    real = storage.blobs()

    def away(name: str, data: bytes) -> None:
        raise BlobsUnavailable("nobody answers")

    with monkeypatch.context() as patched:
        patched.setattr(type(real), "put", lambda self, name, data: away(name, data))
        assert put(call, pair, where, body).status_code == 503
    assert not Segment.objects.exists()
    assert put(call, pair, where, body).status_code == 201
