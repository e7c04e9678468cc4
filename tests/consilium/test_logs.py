"""Nothing about people comes into the log by a library."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings

from consilium.logs import NamesNobody


@pytest.mark.parametrize(
    "connection",
    [
        "<WebSocketProtocol client=['192.0.2.7', 40101] path=b'/signal'>",
        "<WebRequest at 0x7f method=GET uri=/meetings/192.0.2.7/room/ clientproto=HTTP/1.1>",
    ],
)
def test_daphne_names_no_address_and_no_path(connection):
    record = logging.LogRecord(
        "daphne.server", logging.WARNING, "", 1, "%s took too long", (connection,), None
    )
    assert NamesNobody().filter(record)
    assert "192.0.2.7" not in record.getMessage()
    assert record.getMessage().endswith("took too long")
    assert settings.LOGGING["loggers"]["daphne.server"]["filters"] == ["names_nobody"]
