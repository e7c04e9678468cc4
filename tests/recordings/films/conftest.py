"""Films as files, where the programs that judge them can read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recordings.films.plan import Film, Segments, plan, write
from tests.recordings.films import studio
from tests.recordings.films.look import decode_errors


@pytest.fixture(autouse=True)
def no_keys_of_another_database() -> None:
    """Films are made without a database and without keys."""


@pytest.fixture
def made(tmp_path: Path) -> Callable[[Segments], list[tuple[Film, Path]]]:
    """Makes all films of some segments; each decodes in peace and is as long as planned."""

    def make(segments: Segments) -> list[tuple[Film, Path]]:
        films = []
        for number, film in enumerate(plan(segments, studio.STARTED_US).films):
            path = tmp_path / f"{number}.webm"
            with path.open("wb") as file:
                file.writelines(write(film, segments))
            assert path.stat().st_size == film.plaintext_bytes
            assert decode_errors(path) == ""
            films.append((film, path))
        return films

    return make
