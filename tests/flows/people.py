"""People with browsers: what a clinician and a patient do, in words a test can read.

Each has a browser of their own with fake devices: a Chromium here, a Firefox in firefox.py. What
they see on their screen is asked of the page's own elements; what arrives is asked of the browser's
statistics and of the picture itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

from tests.servers.installation import Installation, SignIn
from tests.servers.server import artefacts

CHROMIUM = "/usr/bin/chromium"
#: Of the three cameras the second gives depths (Y16), which Chromium shows and cannot send.
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--use-fake-device-for-media-stream=device-count=3",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

#: The same with cameras of ten pictures a second: browsers that encode and paint in software leave
#: little of two cores to the platform.
CAMERAS = "--use-fake-device-for-media-stream=device-count=3"
SPARING = [f"{flag},fps=10" if flag == CAMERAS else flag for flag in FLAGS]

#: Generous: four browsers encode and decode on two cores, which a host may give to others as well.
#: What is measured has its own bound.
PATIENCE_MS = 45_000

#: Everything that is received, over all peer connections of the page.
RECEIVED = """async () => {
  const found = {video: {}, audio: 0, decoded: 0, pairs: [], candidates: [], protection: []};
  for (const pc of window.consilium.peerConnections()) {
    const stats = await pc.getStats();
    stats.forEach((s) => {
      if (s.type === 'inbound-rtp' && s.kind === 'video') {
        found.video[s.trackIdentifier] = s.framesDecoded ?? 0;
        found.decoded += s.framesDecoded ?? 0;
      }
      if (s.type === 'inbound-rtp' && s.kind === 'audio') found.audio += s.totalAudioEnergy ?? 0;
      if (s.type === 'local-candidate' || s.type === 'remote-candidate')
        found.candidates.push([s.type, s.candidateType, s.address, s.relayProtocol ?? '']);
      if (s.type === 'transport')
        found.protection.push([s.tlsVersion, s.srtpCipher, s.dtlsCipher]);
    });
  }
  return found;
}"""

#: Whose tiles there are, of cameras or of screens.
TILES = """(group) =>
    [...document.querySelectorAll(`[data-participation][data-group=${group}]`)]
        .map((tile) => tile.dataset.participation)"""

#: A number that changes with the picture of one tile; null while there is none.
PICTURE = """(selector) => {
  const video = document.querySelector(selector + ' video');
  if (!video || !video.videoWidth) return null;
  const canvas = document.createElement('canvas');
  canvas.width = 64; canvas.height = 48;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  pen.drawImage(video, 0, 0, 64, 48);
  const data = pen.getImageData(0, 0, 64, 48).data;
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) {
    sum = (sum * 31 + data[i] * 3 + data[i + 1] * 5 + data[i + 2] * 7) | 0;
  }
  return sum;
}"""


def totp(key: str, at: float | None = None) -> str:
    """The six digits of RFC 6238 for ``key`` now."""
    counter = int(at if at is not None else time.time()) // 30
    digest = hmac.digest(base64.b32decode(key), struct.pack(">Q", counter), hashlib.sha1)
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


#: Notes when each picture of the first face is shown, across all attempts of the media path.
WATCH = """() => {
  const video = document.querySelector('[data-participation][data-group=camera] video');
  const shown = window.shownAt = [performance.now()];
  const note = (now) => {
    if (window.shownAt !== shown) return;
    shown.push(now);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}"""

#: The longest time in seconds for which that face stood still; until now, if it still does.
STOOD_STILL = """() => [...window.shownAt.slice(1), performance.now()]
    .reduce((most, at, i) => Math.max(most, at - window.shownAt[i]), 0) / 1000"""

#: From the moment when the page was told that it is let in.
FIRST_PICTURE = """() => window.consilium.firstFrameMs"""

#: From the moment when reload was pressed to the first picture that moves.
RELOADED = """() => window.consilium?.timings.find((mark) => mark.name === 'firstFrame')?.at"""

#: The device that each of the page's own sources comes from, as the browser sends it.
SENT_FROM = """() => window.consilium.peerConnections()
    .flatMap((pc) => pc.getSenders()).map(({track}) => track?.label ?? '')"""

#: What a browser does when a camera is unplugged or an interruption takes a device away.
UNPLUG = """(kind) => {
  const tracks = window.consilium.peerConnections()
      .flatMap((pc) => pc.getSenders()).map(({track}) => track);
  const track = tracks.find((one) => one?.kind === kind);
  track.stop();
  track.dispatchEvent(new Event('ended'));
  return track.id;
}"""

#: The tracks that are alive on their way out.
SENT_TRACKS = """() => window.consilium.peerConnections().flatMap((pc) => pc.getSenders())
    .filter(({track}) => track?.readyState === 'live').map(({track}) => [track.kind, track.id])"""

#: The UDP ports that media uses on this side, one for each peer connection; null for one that is
#: not connected.
PORTS = """async () => Promise.all(window.consilium.peerConnections().map(async (pc) => {
  const stats = await pc.getStats();
  const transport = [...stats.values()].find((s) => s.type === 'transport');
  const pair = stats.get(transport?.selectedCandidatePairId);
  return stats.get(pair?.localCandidateId)?.port ?? null;
}))"""


_used: dict[str, set[str]] = {}


def fresh_totp(key: str) -> str:
    """A code that was not used before: the platform takes each only once (RFC 6238 5.2).

    Whoever needs another one at once types the next, as if their phone's clock were ahead.
    """
    used = _used.setdefault(key, set())
    while True:
        now = time.time()
        for code in (totp(key, now), totp(key, now + 30)):
            if code not in used:
                used.add(code)
                return code
        time.sleep(0.2)


class Heard(list[str]):
    """What a page's sockets received."""

    def count_welcomes(self) -> int:
        return sum('"type":"welcome"' in message for message in self)

    def last_epoch(self) -> int:
        """The media attempt that the page was told to open last."""
        epochs = [json.loads(text)["epoch"] for text in self if text.startswith('{"type":"media"')]
        return int(epochs[-1]) if epochs else 0


class Person:
    """One person at one browser, of whichever make: their page is opened by who comes after."""

    page: Any

    def __init__(self, name: str, base: str) -> None:
        self.name = name
        self.base = base
        self.console: list[str] = []
        self.violations: list[str] = []
        self.sent: list[str] = []
        self.received = Heard()

    def _said(self, kind: str, text: str) -> None:
        self.console.append(f"{kind}: {text}")
        if "Content Security Policy" in text or kind == "pageerror":
            self.violations.append(text)

    def close(self) -> None:
        raise NotImplementedError

    def keep_evidence(self, test: str) -> None:
        """For whoever looks at a failure: the picture and what the console said."""
        if not self.browser.is_connected():
            return
        folder = artefacts(test)
        self.page.screenshot(path=folder / f"{self.name}.png")
        (folder / f"{self.name}.console.txt").write_text("\n".join(self.console))
        (folder / f"{self.name}.received.txt").write_text("\n".join(self.received))
        (folder / f"{self.name}.sent.txt").write_text("\n".join(self.sent))
        (folder / f"{self.name}.html").write_text(self.page.content())

    def shot(self, folder: Path, name: str) -> None:
        self.page.screenshot(path=folder / f"{name}.png")

    # ------------------------------------------------------------ pages
    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sign_in(self, who: SignIn) -> None:
        self.open("/accounts/login/")
        self.page.fill("[name=login]", who.email)
        self.page.fill("[name=password]", who.password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url("**/2fa/**")
        self.page.fill("[name=code]", fresh_totp(who.totp))
        self.page.click("main button[type=submit]")
        # The page with the code has a heading, too: only its going says that they are in.
        self.page.wait_for_url(lambda url: "/2fa/" not in url)

    def plan(self, mode: str, patient: str, email: str) -> tuple[str, str]:
        """A meeting planned by the short form; returns its id and the invitation link."""
        self.open("/desk/meetings/new/")
        self.page.fill("[name=guest_name]", patient)
        self.page.fill("[name=guest_email]", email)
        self.page.check(f"[name=mode][value={mode}]")
        self.page.click("main form button[type=submit]")
        self.page.wait_for_selector("[data-link]")
        return self.meeting_id(), self.shown_link()

    def invite(self, meeting: str, guest: str, email: str, language: str = "en") -> str:
        """One more guest, who gets mails in ``language``; returns their link."""
        self.open(f"/desk/meetings/{meeting}/")
        self.page.click("main details:has([name=guest_name]) summary")
        self.page.fill("[name=guest_name]", guest)
        self.page.fill("[name=guest_email]", email)
        self.page.select_option("[name=guest_language]", language)
        self.page.click("form:has([name=guest_name]) button[type=submit]")
        self.page.wait_for_selector("[data-link]")
        return self.shown_link()

    def meeting_id(self) -> str:
        found = re.search(r"/meetings/([0-9a-f-]{36})/room/", self.page.content())
        assert found, "no way into the room on this page"
        return found[1]

    def shown_link(self) -> str:
        """The link on the page, through this visitor's own way to the server."""
        link = self.page.input_value("[data-link]")
        return self.base + link[link.index("/visit/") :]

    # ------------------------------------------------------------ the way in
    def redeem(self, link: str) -> None:
        # A fragment alone does not load a page anew.
        self.page.goto("about:blank")
        self.page.goto(self.base + link[link.index("/visit/") :])  # by one's own way
        self.page.click("[data-action=redeem]")
        self.page.wait_for_url("**/room/")

    def prove(self, code: str) -> None:
        self.stage("verify")
        self.page.fill("#code", code)
        self.stage("check")

    def ready(self) -> None:
        self.stage("check")
        self.page.click("[data-action=ready]")

    def arrive(self, installation: Installation, link: str, email: str, code_number: int) -> None:
        """From the invitation to the waiting room."""
        self.redeem(link)
        self.prove(code_of(installation, email, code_number))
        self.ready()
        self.stage("wait")

    def enter(self, meeting: str) -> None:
        """A host goes into the room."""
        self.open(f"/meetings/{meeting}/room/")
        self.ready()
        self.stage("call")

    def admit(self) -> None:
        """Let the first who waits in."""
        self.page.click("[data-action=admit] >> nth=0")

    def receive(
        self, installation: Installation, meeting: str, guest: Person, link: str, email: str
    ) -> None:
        """The first guest comes, is let in by this host, and they see each other."""
        guest.arrive(installation, link, email, 1)
        self.enter(meeting)
        self.admit()
        for person in (self, guest):
            person.connected()
            person.sees(1)

    # ------------------------------------------------------------ what the screen says
    def stage(self, name: str, seconds: float = PATIENCE_MS / 1000) -> None:
        self.page.wait_for_selector(f"#room[data-stage={name}]", timeout=seconds * 1000)

    def ended_because(self, reason: str, seconds: float = PATIENCE_MS / 1000) -> None:
        self.stage("ended", seconds)
        self.page.wait_for_selector(f"[data-for=ended][data-reason={reason}]")

    def connected(self, seconds: float = PATIENCE_MS / 1000) -> None:
        self.page.wait_for_selector("#room[data-media=connected]", timeout=seconds * 1000)

    def tiles(self, group: str = "camera") -> list[str]:
        found: list[str] = self.page.evaluate(TILES, group)
        return found

    def act(self, action: str) -> None:
        self.page.click(f"[data-action={action}]")

    def chooses(self, kind: str, device: str) -> None:
        """Another camera or microphone, in the settings of the call."""
        self.act("devices")
        self.page.select_option(f"#call-{kind}", label=device)
        self.sends_from(device)
        self.act("devices")

    def sends_from(self, device: str) -> None:
        self.wait(lambda: device in self.page.evaluate(SENT_FROM), f"media from {device}")

    def loses_device(self, kind: str) -> None:
        """The browser ends an ``audio`` or ``video`` track; another one takes its place."""
        lost = self.page.evaluate(UNPLUG, kind)

        def revived() -> bool:
            tracks = self.page.evaluate(SENT_TRACKS)
            return any(k == kind and track != lost for k, track in tracks)

        self.wait(revived, f"{kind} again after its device was lost")

    def remembers(self, microphone: str, camera: str) -> None:
        """Devices chosen some other day."""
        choice = json.dumps({"microphone": microphone, "camera": camera})
        self.page.evaluate("(it) => localStorage.setItem('consilium.devices', it)", choice)

    def reload(self) -> float:
        """Press reload; returns the seconds until the first picture of somebody else is shown."""
        self.page.reload(wait_until="commit")
        self.wait(lambda: self.page.evaluate(RELOADED), "picture after the reload")
        return float(self.page.evaluate(RELOADED)) / 1000

    def pictures(self) -> list[float]:
        """Seconds from the first connected path to the first picture of each of the others."""
        timings = self.page.evaluate("() => window.consilium.timings")
        connected = next(mark["at"] for mark in timings if mark["name"] == "connected")
        shown = [mark["at"] for mark in timings if mark["name"] == "firstFrame"]
        return [round((at - connected) / 1000, 2) for at in shown]

    def first_picture(self) -> float:
        """Seconds from being let in to the first picture of somebody else."""
        self.wait(lambda: self.page.evaluate(FIRST_PICTURE) is not None, "first picture")
        return float(self.page.evaluate(FIRST_PICTURE)) / 1000

    # ------------------------------------------------------------ what arrives
    def statistics(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(RECEIVED)
        return found

    def picture(self, selector: str) -> int | None:
        found: int | None = self.page.evaluate(PICTURE, selector)
        return found

    def sees(self, count: int = 1, seconds: float = PATIENCE_MS / 1000) -> None:
        """``count`` faces: frames are decoded for each and each picture's content changes."""
        self.wait(lambda: len(self._moving("camera")) >= count, f"{count} moving faces", seconds)

    def sees_screen(self) -> None:
        self.wait(lambda: len(self._moving("screen")) >= 1, "a shared screen that shows")

    def hears(self) -> None:
        """Audio energy grows."""
        before = self.statistics()["audio"]
        self.wait(lambda: self.statistics()["audio"] > before + 0.001, "a voice")

    def frames_go_on(self, seconds: float = 5.0) -> None:
        before = self.statistics()["decoded"]
        self.wait(lambda: self.statistics()["decoded"] > before + 5, "frames", seconds)

    def watches(self) -> None:
        """From now on it is noted for how long the first face stands still."""
        self.page.evaluate(WATCH)

    def stood_still(self) -> float:
        """Seconds of the longest pause since ``watches``; the page has not been reloaded."""
        return float(self.page.evaluate(STOOD_STILL))

    def media_ports(self) -> list[int]:
        """The UDP port of each peer connection: of publish and of subscribe, if governed.

        Once they all are connected: whoever looks on may see this person before they see anybody.
        """
        ports: list[int | None] = []

        def connected() -> bool:
            ports[:] = self.page.evaluate(PORTS)
            return bool(ports) and None not in ports

        self.wait(connected, "connected media")
        return [port for port in ports if port is not None]

    def _moving(self, group: str) -> list[str]:
        moving = []
        for participation in self.tiles(group):
            tile = f'[data-participation="{participation}"][data-group={group}]'
            first = self.picture(tile)
            if first is None:
                continue
            self.page.wait_for_timeout(150)  # the time between two looks, not a wait
            if group == "screen" or self.picture(tile) != first:
                moving.append(participation)
        return moving

    def wait(
        self, condition: Callable[[], Any], what: str, seconds: float = PATIENCE_MS / 1000
    ) -> float:
        """Wait for ``condition``; returns how long it took, in seconds."""
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > seconds:
                raise AssertionError(f"{self.name}: no {what} within {seconds} s")
            self.page.wait_for_timeout(50)
        return time.monotonic() - start

    # ------------------------------------------------------------ chat
    def say(self, text: str) -> None:
        if not self.page.is_visible("#chat-log"):
            self.act("chat")
        self.page.fill("#chat textarea, #chat input[type=text]", text)
        self.page.click("#chat [data-action=send]")

    def reads(self, text: str) -> None:
        self.page.wait_for_function(
            "(text) => [...document.querySelectorAll('#chat-log li')]"
            ".some((line) => line.textContent.includes(text))",
            arg=text,
        )


class Visitor(Person):
    """One person at a Chromium of their own."""

    def __init__(
        self,
        playwright: Playwright,
        name: str,
        base: str,
        flags: list[str] | None = None,
        program: str | Path = CHROMIUM,
        **context: Any,
    ) -> None:
        super().__init__(name, base)
        self.browser: Browser = playwright.chromium.launch(
            executable_path=program, args=flags or FLAGS
        )
        self.context = self.browser.new_context(
            ignore_https_errors=True, permissions=["camera", "microphone"], **context
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self._listen(self.page)

    def _listen(self, page: Page) -> None:
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self._said("pageerror", str(error)))
        page.on("websocket", self._tap)

    def _tap(self, socket: Any) -> None:
        socket.on("framesent", lambda payload: self.sent.append(str(payload)))
        socket.on("framereceived", lambda payload: self.received.append(str(payload)))

    def close(self) -> None:
        self.browser.close()


def code_of(installation: Installation, email: str, number: int = 1) -> str:
    """The one-time code in the ``number``-th code mail to ``email``."""

    def codes() -> list[str]:
        found = []
        for mail in installation.read_mail_files():
            digits = re.search(r"\b(\d{6})\b", str(mail.get_content()))
            about = str(mail["Subject"]).lower()
            if email in str(mail["To"]) and ("code" in about or "código" in about) and digits:
                found.append(digits[1])
        return found

    deadline = time.monotonic() + 20
    while len(codes()) < number:
        assert time.monotonic() < deadline, f"code {number} for {email} did not arrive"
        time.sleep(0.05)
    return codes()[number - 1]
