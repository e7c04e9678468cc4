"""The broker without a server: what is seen in its folder is whole."""

from __future__ import annotations

from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from celery import Celery
from kombu import Connection

from consilium.broker import Transport
from consilium.celery import app

QUEUE = "visits"


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    folders = {}
    for name in ("data_folder_in", "data_folder_out", "processed_folder", "control_folder"):
        folder = tmp_path / ("queue" if name.startswith("data") else name)
        folder.mkdir(exist_ok=True)
        folders[name] = str(folder)
    return Connection(
        "filesystem://", transport="consilium.broker:Transport", transport_options=folders
    )


def test_messages_arrive_once(connection):
    writer, reader = connection.clone().channel(), connection.clone().channel()
    for number in range(5):
        writer._put(QUEUE, {"number": number})
    assert sorted(reader._get(QUEUE)["number"] for _ in range(5)) == [0, 1, 2, 3, 4]
    with pytest.raises(Empty):
        reader._get(QUEUE)


def test_nobody_sees_a_message_before_it_is_written(connection, tmp_path):
    reader = connection.clone().channel()
    seen: list[Any] = []

    class LooksWhileItIsWritten:
        def __json__(self) -> str:
            try:
                seen.append(reader._get(QUEUE))
            except Empty:
                seen.append(None)
            return "slow"

    connection.clone().channel()._put(QUEUE, {"order": LooksWhileItIsWritten()})
    assert seen == [None]
    assert reader._get(QUEUE) == {"order": "slow"}
    assert list((tmp_path / "queue").iterdir()) == []


def test_the_installation_uses_it():
    assert isinstance(app, Celery)
    with app.connection_for_write() as used:
        assert type(used.transport) is Transport
