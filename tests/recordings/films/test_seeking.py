"""Cues stand in front, and a seek reads little: what players do over a network."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from recordings.films import webm
from recordings.films.plan import Film, Segments
from recordings.films.webm import Block, Clusters, Track
from tests.recordings.films import look
from tests.recordings.films.studio import Person, camera, microphone, pictures, run

Made = Callable[[Segments], list[tuple[Film, Path]]]


def test_a_seek_to_any_second_lands_at_the_key_frame_before_it(made: Made) -> None:
    person = Person()
    # A key frame every second second.
    odd = pictures()
    long = odd + tuple(odd[1:]) + (odd[-1],)
    feeds = [camera(person, content=((0, long),), spans=((0, 21), (27, 40))), microphone(person)]
    [(_, path)] = made(lambda: run(feeds, 34))
    keys = [at for at, key in look.packets(path, "v") if key]
    assert len(keys) > 10
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for second in range(34):
            container.seek(int(second / stream.time_base), stream=stream)
            packet = next(p for p in container.demux(stream) if p.pts is not None)
            landed = float(packet.pts * stream.time_base)
            assert packet.is_keyframe
            assert landed == pytest.approx(max(k for k in keys if k <= max(second, keys[0])))


def test_a_film_of_a_voice_can_be_sought_too(made: Made) -> None:
    feeds = [microphone(Person())]
    [(_, path)] = made(lambda: run(feeds, 30))
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        for second in range(1, 30):
            container.seek(int(second / stream.time_base), stream=stream)
            packet = next(p for p in container.demux(stream) if p.pts is not None)
            # Seeking leaves out what begins before the cue by the encoder's delay: one packet.
            assert second - 6.1 <= float(packet.pts * stream.time_base) <= second + 0.02


def test_everything_a_player_needs_first_is_in_front(made: Made) -> None:
    person = Person()
    [(_, path)] = made(lambda: run([camera(person), microphone(person)], 20))
    data = path.read_bytes()
    order = [
        data.index(bytes.fromhex(name))
        for name in ("1a45dfa3", "18538067", "114d9b74", "1549a966", "1654ae6b")
    ]
    assert order == sorted(order)
    # SeekHead names the cues as well; the second time they are there themselves.
    cues = data.index(bytes.fromhex("1c53bb6b"), data.index(bytes.fromhex("1c53bb6b")) + 1)
    assert order[-1] < cues < data.index(bytes.fromhex("1f43b675"))


def blocks(of: Clusters, *, count: int, every_ms: int, size: int, key_every: int) -> list[bytes]:
    clusters = []
    for n in range(count):
        key = n % key_every == 0
        clusters.append(of.add(Block(n * every_ms, Track.PICTURE, key, 33, bytes(size))))
    return [c for c in [*clusters, of.finish()] if c]


@pytest.mark.parametrize(("every_ms", "size", "key_every"), [(33, 900, 300), (5, 40_000, 1)])
def test_clusters_are_short_and_cues_sparse(every_ms: int, size: int, key_every: int) -> None:
    clusters = Clusters()
    whole = blocks(clusters, count=3_000, every_ms=every_ms, size=size, key_every=key_every)
    assert max(map(len, whole)) <= webm.CLUSTER_MOST_BYTES + 40_100
    assert len(whole) >= 3_000 * every_ms / 2_000
    times = clusters.cues[0]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert min(gaps) >= webm.CUE_LEAST_MS
    assert sum(map(len, whole)) == clusters.size


def test_a_cue_names_the_beginning_of_a_cluster(made: Made) -> None:
    person = Person()
    [(_, path)] = made(lambda: run([camera(person), microphone(person)], 6))
    data = path.read_bytes()
    segment = data.index(bytes.fromhex("18538067")) + 12
    at, found = 0, 0
    while (at := data.find(b"\xf1\x88", at)) >= 0 and at < data.index(bytes.fromhex("1f43b675")):
        position = int.from_bytes(data[at + 2 : at + 10], "big")
        assert data[segment + position :].startswith(bytes.fromhex("1f43b675"))
        at, found = at + 10, found + 1
    assert found >= 6
