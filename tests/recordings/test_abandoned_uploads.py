"""What interrupted uploads have left is removed by the beat, when it is a day old."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from consilium.celery import app
from recordings import storage
from recordings.tasks import forget_abandoned


@pytest.fixture
def left_behind(settings, tmp_path: Path) -> Path:
    """What a killed upload leaves in a directory."""
    settings.STORAGE_URL = (tmp_path / "blobs").as_uri()
    storage.blobs.cache_clear()
    storage.blobs().ensure_ready()
    partial = tmp_path / "blobs" / ".partial" / ("0" * 32)
    partial.write_bytes(b"the beginning")
    yield partial
    storage.blobs.cache_clear()


def of_age(partial: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(partial, (then, then))


def test_what_is_a_day_old_is_removed(left_behind: Path) -> None:
    of_age(left_behind, 25)
    forget_abandoned()
    assert not left_behind.exists()


def test_what_may_still_be_going_on_stays(left_behind: Path) -> None:
    of_age(left_behind, 23)
    forget_abandoned()
    assert left_behind.exists()


def test_the_beat_knows_it_and_celery_has_it() -> None:
    entry = django_settings.CELERY_BEAT_SCHEDULE["recordings.forget_abandoned_uploads"]
    app.loader.import_default_modules()
    assert entry["task"] in app.tasks


def test_a_storage_that_is_away_is_one_line(settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.STORAGE_URL = "s3://recordings?endpoint=https://127.0.0.1:1"
    settings.STORAGE_KEYS = {"access_key": "access", "secret_key": "hunter2"}
    storage.blobs.cache_clear()
    with caplog.at_level(logging.WARNING):
        forget_abandoned()
    storage.blobs.cache_clear()
    [line] = [record.getMessage() for record in caplog.records if record.name == storage.__name__]
    assert line.startswith("interrupted uploads could not be looked for")
    assert "hunter2" not in line
