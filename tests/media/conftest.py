from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def nobody_has_tried_yet() -> None:
    """Throttles count in the cache, which outlives a test's transaction."""
    cache.clear()
