from __future__ import annotations

import pytest


@pytest.fixture
def call(cast):
    """The clinician and the patient in a governed call; see ``calls``."""
    from tests.recordings import calls

    return calls.begun(cast)
