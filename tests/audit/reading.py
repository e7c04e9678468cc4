"""Reading the trail in tests: what was refused, and that it was written once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from access.verbs import Verb
from audit.models import TrailRow
from foundation.errors import ConsiliumError


def deeds(verb: Verb) -> list[TrailRow]:
    """What was done by ``verb``, oldest first."""
    return list(TrailRow.objects.filter(tag=verb.value, outcome="done").order_by("id"))


@contextmanager
def refused(verb: Verb, reason: str) -> Iterator[None]:
    """What runs inside is refused for ``reason``; the trail has that once, and nothing as done."""
    before = set(TrailRow.objects.values_list("id", flat=True))
    with pytest.raises(ConsiliumError) as caught:
        yield
    assert caught.value.code == reason
    after = TrailRow.objects.exclude(id__in=before)
    assert [(row.tag, row.outcome, row.reason) for row in after] == [
        (verb.value, "refused", reason)
    ]
