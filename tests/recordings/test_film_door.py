"""Films over HTTP: any range is the plain bytes, and nothing damaged goes out."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.verbs import Verb
from audit.models import TrailRow
from foundation.blobs import BlobsUnavailable
from foundation.blobs.local import LocalBlobs
from foundation.sealing.stored import HEAD_BYTES
from recordings import storage, views
from recordings.actions import trouble, watch
from recordings.models import FilmRead, Recording, StoredFilm
from recordings.viewings import reader, session_name
from tests.accounts.signing_in import signed_in
from tests.recordings.calls import Call

pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")


class Door:
    """A film's address, at the browser that may open it."""

    def __init__(self, call: Call, recording: Recording) -> None:
        self.client = signed_in(Client(), call.cast.clinician)
        session = session_name(self.client.session.session_key)
        self.viewing = watch.play(call.cast.acting(call.cast.clinician), recording.pk, session)
        self.film = StoredFilm.objects.order_by("pk").first()
        self.url = f"/recordings/{recording.pk}/viewings/{self.viewing.pk}/films/{self.film.pk}"
        self.plain = b"".join(reader(recording, self.film).read(0, self.film.plaintext_bytes))
        name = storage.film_name(recording.organisation_id, recording.pk, self.film.pk)
        self.name = name

    def get(self, wanted: str | None = None, **headers: str):
        headers = {**headers, **({"range": wanted} if wanted else {})}
        return self.client.get(self.url, headers=headers, secure=True)

    def stored(self, where: Path) -> Path:
        """The file itself; another of its name says until when it is locked."""
        found = [path for path in where.rglob(str(self.film.pk)) if path.is_file()]
        return max(found, key=lambda path: path.stat().st_size)


@pytest.fixture
def door(call: Call, kept: Recording) -> Door:
    return Door(call, kept)


def body(answer) -> bytes:
    return b"".join(answer) if answer.streaming else answer.content


def test_any_range_is_the_plain_bytes(door: Door):
    total = len(door.plain)
    near = st.sampled_from([0, 1, 16_383, 16_384, 16_385, 32_768, total - 1, total])
    place = near | st.integers(0, total + 10)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(place, place | st.none(), st.booleans())
    def check(first: int, last: int | None, is_suffix: bool) -> None:
        if is_suffix:
            answer, expected = door.get(f"bytes=-{first}"), door.plain[total - min(first, total) :]
            start = total - len(expected)
        else:
            answer = door.get(f"bytes={first}-{'' if last is None else last}")
            expected, start = door.plain[first : None if last is None else last + 1], first
        if not is_suffix and last is not None and last < first:
            assert (answer.status_code, body(answer)) == (200, door.plain)
        elif not expected:
            assert answer.status_code == 416
            assert answer["Content-Range"] == f"bytes */{total}"
            assert answer.content == b""
        else:
            assert (answer.status_code, body(answer)) == (206, expected)
            end = start + len(expected) - 1
            assert answer["Content-Range"] == f"bytes {start}-{end}/{total}"
            assert answer["Content-Length"] == str(len(expected))
        assert answer["Cache-Control"] == "no-store"

    check()


def test_without_a_range_and_for_several_the_whole_is_given(door: Door):
    for wanted in (None, "bytes=0-1,5-6", "pages=1-2"):
        answer = door.get(wanted)
        assert (answer.status_code, answer["Accept-Ranges"]) == (200, "bytes")
        assert answer["Content-Type"] == "video/webm"
        assert answer["Content-Length"] == str(len(door.plain))
        assert "Content-Range" not in answer
        assert body(answer) == door.plain


def test_head_tells_of_the_whole_and_reads_nothing(door: Door):
    answer = door.client.head(door.url, headers={"range": "bytes=0-1"}, secure=True)
    assert answer.status_code == 200, "ranges are for GET alone (RFC 9110, 14.2)"
    assert answer["Content-Length"] == str(len(door.plain))
    assert answer.content == b""
    assert FilmRead.objects.get().given_bytes == 0


def test_who_has_a_part_of_another_film_gets_the_whole(door: Door):
    tag = door.get("bytes=0-1")["ETag"]
    assert door.get("bytes=0-1", **{"if-range": tag}).status_code == 206
    answer = door.get("bytes=0-1", **{"if-range": '"another"'})
    assert (answer.status_code, body(answer)) == (200, door.plain)


def test_a_long_range_is_answered_with_its_beginning(door: Door, monkeypatch):
    monkeypatch.setattr(views, "ANSWER_BYTES", 20_000)
    answer = door.get("bytes=100-")
    assert (answer.status_code, answer.content) == (206, door.plain[100:20_100])
    assert answer["Content-Range"] == f"bytes 100-20099/{len(door.plain)}"


def damage(path: Path, at: int) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_nothing_of_a_damaged_part_is_given(door: Door, tmp_path: Path):
    path = door.stored(tmp_path)
    damage(path, HEAD_BYTES + 16_400 + 5)  # in the second chunk
    assert door.get("bytes=0-16383").content == door.plain[:16_384], "the first is sound"
    answer = door.get("bytes=16000-17000")
    assert answer.status_code == 502
    assert door.plain[16_000:16_100] not in answer.content
    [row] = TrailRow.objects.filter(tag=Verb.VIEWING_READ.value, outcome="refused")
    assert (row.reason, row.subject) == ("recording_damaged", f"viewing:{door.viewing.pk}")
    recording = Recording.objects.get()
    assert recording.trouble == trouble.NOT_SOUND


def test_an_answer_stops_before_what_is_damaged(door: Door, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(watch, "_PIECE_BYTES", 1)
    damage(door.stored(tmp_path), HEAD_BYTES + 16_400 + 5)
    answer = door.get()
    assert answer.status_code == 200
    assert int(answer["Content-Length"]) == len(door.plain)
    assert body(answer) == door.plain[:16_384]
    [row] = TrailRow.objects.filter(tag=Verb.VIEWING_READ.value, outcome="refused")
    assert row.reason == "recording_damaged"
    assert FilmRead.objects.get().given_bytes == 16_384


def test_nothing_of_an_object_that_was_cut_off_is_given(door: Door, tmp_path: Path):
    path = door.stored(tmp_path)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[: HEAD_BYTES + 16_400 + 100])
    for wanted in ("bytes=0-99", "bytes=16384-", None):
        assert door.get(wanted).status_code == 502


def test_a_storage_that_is_away_says_so_and_comes_back(door: Door, monkeypatch):
    def away(*arguments, **named):
        raise BlobsUnavailable("nobody answers")

    with monkeypatch.context() as patched:
        patched.setattr(LocalBlobs, "read", away)
        assert door.get("bytes=0-99").status_code == 503
    assert Recording.objects.get().trouble == trouble.STORAGE_AWAY
    assert door.get("bytes=0-99").status_code == 206
    assert Recording.objects.get().trouble == ""


def test_a_film_that_is_gone_is_damage(door: Door, tmp_path: Path):
    door.stored(tmp_path).unlink()
    assert door.get("bytes=0-99").status_code == 502


def test_who_is_not_signed_in_gets_nothing(door: Door):
    answer = Client().get(door.url, secure=True)
    assert answer.status_code == 401
    assert answer.content[:4] != door.plain[:4]
