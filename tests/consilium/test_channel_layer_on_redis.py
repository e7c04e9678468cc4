"""The channel layer on a real Redis over TLS: web processes hear each other, and silence lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis.asyncio

from consilium import channel_layer, parts
from consilium.channel_layer import SealedRedis
from tests.servers import authority
from tests.servers.redis import Redis

MESSAGE = {"type": "room.changed", "seq": 7}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    directory = Path(tmp_path_factory.mktemp("redis"))
    running = Redis(directory, authority.issue(directory / "tls"), "channel-layer-redis")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def a_layer(server: Redis, monkeypatch: pytest.MonkeyPatch):
    """As each web process makes one."""
    monkeypatch.setattr(channel_layer, "wait_for_database", lambda call: b"one key for both")
    host = parts.channel_layer_host(parts.redis(server.url, server.tls.authority))
    return lambda: SealedRedis(hosts=[host], capacity=1000)


async def test_what_one_process_tells_a_group_the_other_hears(a_layer) -> None:
    web, other = a_layer(), a_layer()
    channel = await web.new_channel()
    await web.group_add("place", channel)
    await other.group_send("place", MESSAGE)
    assert await asyncio.wait_for(web.receive(channel), 5) == MESSAGE
    await web.close_pools()
    await other.close_pools()


async def test_who_is_told_nothing_for_long_goes_on_listening(a_layer) -> None:
    """Longer than one of the layer's questions to Redis lasts."""
    web = a_layer()
    channel = await web.new_channel()
    listening = asyncio.create_task(web.receive(channel))
    done, _ = await asyncio.wait({listening}, timeout=web.brpop_timeout + 1.5)
    assert not done, listening.exception()
    await web.send(channel, MESSAGE)
    assert await asyncio.wait_for(listening, 5) == MESSAGE
    await web.close_pools()


async def test_redis_without_the_password_or_by_another_authority_is_no_use(
    server: Redis, tmp_path: Path
) -> None:
    stranger = authority.issue(tmp_path / "stranger")
    nobody = server.url.replace(server.password, "wrong")
    for url in (parts.redis(server.url, stranger.authority), parts.redis(nobody, None)):
        client = redis.asyncio.Redis.from_url(url)
        with pytest.raises(redis.ConnectionError):
            await client.ping()
        await client.aclose()
