"""The beat that goes on in a background tab: its worker starts, and it beats by itself."""

from __future__ import annotations

import json

import pytest

from tests.servers.processes import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timed]

LISTEN = """async (script) => {
  // The page's own timer is put to sleep, as a hidden tab's is: what beats then is the worker.
  window.setInterval = () => 0;
  const { onBeat } = await import(script);
  window.beats = 0;
  window.stop_listening = onBeat(() => { window.beats += 1; });
}"""


def test_worker_beats_while_the_page_sleeps(installation, visitor):
    manifest = json.loads((installation.data / "static" / "staticfiles.json").read_text())
    anybody = visitor("anybody")
    anybody.open("/")
    anybody.page.evaluate(LISTEN, f"/static/{manifest['paths']['js/signal/heartbeat.js']}")
    wait_for(lambda: anybody.page.evaluate("window.beats") >= 2, "two beats")
    [worker] = anybody.page.workers
    assert worker.url.endswith(manifest["paths"]["js/signal/heartbeat-worker.js"])
    assert [line for line in anybody.console if line.startswith(("error", "warning"))] == []
    assert anybody.violations == []
    anybody.page.evaluate("window.stop_listening()")
    wait_for(
        # Asking the page is also what lets its news in.
        lambda: anybody.page.evaluate("true") and anybody.page.workers == [],
        "the end of the worker",
    )
