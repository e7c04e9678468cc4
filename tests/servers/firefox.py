"""The distribution's own Firefox, spoken to by WebDriver BiDi as it brings it along.

https://www.w3.org/TR/webdriver-bidi/ over one WebSocket. No driver stands between, and no browser
built for testing: what runs is what patients have.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.servers.namespace import Namespace
from tests.servers.server import Server, artefacts, small_environment

PROGRAM = "firefox-esr"

#: Starting, on a busy machine with two cores.
READY_SECONDS = 40.0
#: A page that does not answer for so long will not.
ANSWER_SECONDS = 30.0

PREFERENCES = {
    # A tone and a picture that changes, and nobody to ask for them.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    # It is not at home here: no updates, no reports, no services, no guesses at what comes next.
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "network.trr.mode": 5,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "data:,",
}


class BidiError(Exception):
    """Firefox refused a command."""


class Firefox(Server):
    """One browser in ``namespace``; everybody in it has cookies and storage of their own."""

    def __init__(self, folder: Path, namespace: Namespace, name: str = "firefox") -> None:
        super().__init__("firefox", artefacts(name) / "firefox.log")
        self._profile = folder / "profile"
        self._namespace = namespace
        self._listeners: dict[str, Callable[[dict[str, Any]], None]] = {}
        self._open = ExitStack()
        self._line: ClientConnection | None = None
        self._commands = 0

    def start(self) -> None:
        self._profile.mkdir()
        (self._profile / "user.js").write_text(
            "".join(
                f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
                for name, value in PREFERENCES.items()
            )
        )
        options = ("--headless", "--no-remote", "--remote-debugging-port", "0")
        self._launch(
            self._namespace.command(PROGRAM, *options, "--profile", self._profile),
            small_environment(HOME=str(self._profile), MOZ_CRASHREPORTER_DISABLE="1"),
        )
        said = self.wait_for_log(
            r"WebDriver BiDi listening on ws://127\.0\.0\.1:(\d+)", READY_SECONDS
        )
        port = int(said[1])
        line = connect(
            f"ws://127.0.0.1:{port}/session",
            sock=self._namespace.connect(port),
            proxy=None,
            max_size=None,  # pictures
            ping_interval=None,  # each command has its own patience
        )
        self._line = self._open.enter_context(line)
        self.call("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        self.call("session.subscribe", events=["log.entryAdded"])

    def stop(self) -> None:
        self._open.close()
        super().stop()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command; what the pages said meanwhile is handed to who listens."""
        assert self._line, "firefox was not started"
        self._commands += 1
        number = self._commands
        self._line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._line.recv(timeout=ANSWER_SECONDS))
            if message["type"] == "event":
                self._heard(message["params"])
            elif message["id"] == number:
                break
        if message["type"] == "error":
            raise BidiError(f"{method}: {message['error']}: {message['message']}")
        result: dict[str, Any] = message["result"]
        return result

    def listen(self, context: str, listener: Callable[[dict[str, Any]], None]) -> None:
        """``listener`` gets the entries of the log of the page ``context``."""
        self._listeners[context] = listener

    def _heard(self, entry: dict[str, Any]) -> None:
        if listener := self._listeners.get(entry["source"].get("context")):
            listener(entry)
