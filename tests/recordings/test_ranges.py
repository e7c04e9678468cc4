"""Which bytes a request asks for, by RFC 9110 section 14."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.ranges import Span, Unsatisfiable, wanted

TOTAL = 10_000


@pytest.fixture(autouse=True)
def no_keys_of_another_database() -> None:
    """Nothing here has keys."""


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        # The examples of section 14.1.2.
        ("bytes=0-499", 0, 500),
        ("bytes=500-999", 500, 1_000),
        ("bytes=-500", 9_500, 10_000),
        ("bytes=9500-", 9_500, 10_000),
        ("bytes=0-0", 0, 1),
        ("bytes=-1", 9_999, 10_000),
        # Beyond the end there is nothing to give, and the rest is given.
        ("bytes=9999-20000", 9_999, 10_000),
        ("bytes=-20000", 0, 10_000),
        # A unit's name is case-insensitive (14.1).
        ("Bytes=0-", 0, 10_000),
        ("bytes= 7-8 ", 7, 9),
    ],
)
def test_one_range_is_read(header: str, start: int, end: int) -> None:
    assert wanted(header, TOTAL) == Span(start, end, TOTAL)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=1.5-2",
        "bytes=--5",
        "bytes=+1-2",
        "lines=1-2",
        "bytes=0-1,5-6",
        "bytes=0-1, -1",
        "bytes=٣-٤",
        "bytes=" + "9" * 4_000 + "-",
        "bytes=0-1\n",
    ],
)
def test_what_is_no_single_range_asks_for_the_whole(header: str | None) -> None:
    assert wanted(header, TOTAL) is None


@pytest.mark.parametrize("header", ["bytes=10000-", "bytes=10000-10001", "bytes=-0"])
def test_a_range_of_which_nothing_exists_is_refused(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        wanted(header, TOTAL)


@given(st.text(), st.integers(1, 1 << 40))
def test_whatever_is_sent_gives_bytes_that_exist_or_none(header: str, total: int) -> None:
    for text in (header, f"bytes={header}"):
        try:
            span = wanted(text, total)
        except Unsatisfiable:
            continue
        assert span is None or 0 <= span.start < span.end <= total


@given(st.integers(0, 12_000), st.integers(0, 12_000))
def test_a_range_is_what_it_says(first: int, last: int) -> None:
    if first >= TOTAL and last >= first:
        with pytest.raises(Unsatisfiable):
            wanted(f"bytes={first}-{last}", TOTAL)
        return
    span = wanted(f"bytes={first}-{last}", TOTAL)
    plain = range(TOTAL)
    assert (span is None) == (last < first)
    if span is not None:
        assert plain[span.start : span.end] == plain[first : last + 1]
        assert span.content_range == f"bytes {first}-{min(last, TOTAL - 1)}/{TOTAL}"
