"""News travels upward, at once, in the announcer's transaction."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from foundation import events


@dataclass(frozen=True)
class Happened:
    what: str


@dataclass(frozen=True)
class HappenedToo(Happened):
    pass


@pytest.fixture
def heard():
    heard: list[Happened] = []
    events.subscribe(Happened, heard.append)
    yield heard
    events._handlers.pop(Happened)


def test_who_subscribed_hears_it_at_once(heard):
    events.announce(Happened("a"))
    assert heard == [Happened("a")]


def test_subscribing_twice_hears_once():
    heard: list[Happened] = []

    def note(event: Happened) -> None:
        heard.append(event)

    events.subscribe(Happened, note)
    events.subscribe(Happened, note)
    try:
        events.announce(Happened("a"))
        assert len(heard) == 1
    finally:
        events._handlers.pop(Happened)


def test_news_of_another_kind_is_not_heard(heard):
    events.announce(HappenedToo("a"))
    assert heard == []


def test_the_first_error_stops_and_reaches_the_announcer(heard):
    def fails(event: Happened) -> None:
        raise LookupError(event.what)

    events.subscribe(Happened, fails)
    events.subscribe(Happened, lambda event: heard.extend([event]))
    with pytest.raises(LookupError):
        events.announce(Happened("a"))
    assert len(heard) == 1, "the one before heard it, the one after did not"
