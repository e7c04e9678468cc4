"""What libraries would write into the log about people is taken out."""

from __future__ import annotations

import logging
import re

#: How Daphne shows a connection: by its client's address, and a request by its path, which has ids.
_WHOSE = re.compile(r"(client|uri)=(\[[^\]]*\]|\S+)")


class NamesNobody(logging.Filter):
    """Lets every record pass, without the addresses and paths of connections."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _WHOSE.sub(r"\1=…", record.getMessage()), ()
        return True
