from __future__ import annotations

import pytest


@pytest.fixture
def call(cast, own_storage):
    """The clinician and the patient in a governed call; see ``calls``."""
    from tests.recordings import calls

    return calls.begun(cast)


@pytest.fixture
def own_storage(tmp_path, settings):
    """A directory of this test's own, empty."""
    from recordings import storage

    settings.STORAGE_URL = f"file://{tmp_path}/blobs"
    settings.STORAGE_KEYS, settings.STORAGE_CA = {}, None
    storage.blobs.cache_clear()
    yield
    storage.blobs.cache_clear()


@pytest.fixture
def gathered(call):
    """Six seconds of both, stopped, all of it shipped."""
    from tests.recordings import calls

    return calls.gather(call)


@pytest.fixture
def kept(gathered):
    """Stored, and its segments are gone."""
    from recordings.actions import store
    from tests.recordings import calls

    recording = calls.stored(gathered)
    store.drop_segments(recording.pk)
    return recording
