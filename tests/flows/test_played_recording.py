"""A recording is looked at: by its clinician, by an officer with a reason, and by nobody else."""

from __future__ import annotations

import re
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest

from tests.flows.conftest import CLINICIAN, COLLEAGUE, OFFICER
from tests.flows.people import Visitor, fresh_totp
from tests.flows.pictures import Examiner
from tests.flows.trail import Trail
from tests.recordings.live import staged
from tests.servers.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.timed]

RETIRE = """
from datetime import timedelta
from audit.clock import database_now
from recordings.actions import retire
from recordings.models import Recording
due = database_now() - timedelta(seconds=1)
Recording.objects.filter(pk={recording!r}).update(delete_after=due)
retire.retire()
print("STATE", Recording.objects.get(pk={recording!r}).state)
"""

#: Sign-ins of long ago: the code that was typed then is fresh no more.
LONG_AGO = """
from importlib import import_module
from accounts.models import LoginSession
from vault import sealing
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as METHODS
store = import_module("accounts.sessions").SessionStore()
for row in LoginSession.objects.all():
    data = store.decode(row.session_data)
    for record in data.get(METHODS, []):
        record["at"] -= 3600
    LoginSession.objects.filter(pk=row.pk).update(session_data=store.encode(data))
print("AGED")
"""

#: Where each film is, in seconds of the recording, and whether it plays.
FILMS = """() => [...document.querySelectorAll('video[data-film]')].map((video) => ({
  at: video.currentTime + Number(video.dataset.starts) / 1000,
  there: !video.parentElement.classList.contains('away'),
  screen: video.parentElement.dataset.screen === 'yes',
  paused: video.paused, ready: video.readyState, rate: video.playbackRate,
  frames: video.getVideoPlaybackQuality().totalVideoFrames,
}))"""

#: How far apart the films are, looked at many times while they play; in milliseconds.
SPREAD = """async (times) => {
  const spread = [];
  for (let n = 0; n < times; n++) {
    await new Promise((done) => requestAnimationFrame(done));
    const films = [...document.querySelectorAll('.film:not(.away) video')]
        .map((video) => video.currentTime + Number(video.dataset.starts) / 1000);
    spread.push(1000 * (Math.max(...films) - Math.min(...films)));
  }
  return spread.sort((one, other) => one - other);
}"""

#: When each film of a face turns white, as its pictures are shown: recording's seconds.
FLASHES = """(seconds) => Promise.all(
  [...document.querySelectorAll('.film[data-screen=no]:not(.away) video')].map((video) =>
    new Promise((done) => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 8;
      const pen = canvas.getContext('2d', {willReadFrequently: true});
      const until = performance.now() + seconds * 1000;
      const seen = [];
      let was = false;
      const look = (now) => {
        pen.drawImage(video, 0, 0, 8, 8);
        const is = pen.getImageData(1, 1, 1, 1).data[0] > 180;
        if (is && !was) seen.push(now);
        was = is;
        if (now < until) video.requestVideoFrameCallback(look); else done(seen);
      };
      video.requestVideoFrameCallback(look);
    })))"""


def films(person: Visitor) -> list[dict[str, Any]]:
    return person.page.evaluate(FILMS)


def playing(person: Visitor) -> None:
    person.page.wait_for_selector("#player[data-state=playing]")


def seek(person: Visitor, seconds: float) -> None:
    """As one who drags the bar."""
    person.page.evaluate(
        """(ms) => { const bar = document.querySelector('[data-bind=seek]');
        bar.value = String(ms); bar.dispatchEvent(new Event('input'));
        bar.dispatchEvent(new Event('change')); }""",
        seconds * 1000,
    )


def brought_together(person: Visitor) -> list[float]:
    """After a jump the player brings the films together: within two pictures, mostly.

    Returns the looks at how far apart they are, of the first second in which that held.
    """
    looks: list[list[float]] = []

    def close() -> bool:
        looks.append(person.page.evaluate(SPREAD, 60))
        return looks[-1][56] < 40

    person.wait(close, "films that are together")
    return looks[-1]


def status(person: Visitor, path: str, method: str = "GET") -> int:
    """What this person's browser is answered there."""
    return person.page.evaluate(
        """async ([path, method]) => {
          const token = document.querySelector('meta[name=csrf-token]').content;
          const answer = await fetch(path, {method, headers: {'X-CSRFToken': token}});
          return answer.status; }""",
        [path, method],
    )


def test_a_recording_is_looked_at(
    installation: Installation, visitor: Callable[..., Visitor]
) -> None:
    recording, meeting = staged(installation)
    english = Examiner()
    trail = Trail(installation)
    since = trail.last()

    # ------------------------------------------------ the clinician who hosted
    doctor = visitor("doctor")
    doctor.sign_in(installation.people[CLINICIAN])
    doctor.open(f"/desk/meetings/{meeting}/")
    doctor.page.wait_for_selector(f'[data-recording="{recording}"][data-state=stored]')
    english.look(doctor, "meeting-recorded")
    doctor.act("open-recording")
    doctor.page.wait_for_selector("[data-form=play]")
    english.look(doctor, "recording-clinician")
    doctor.act("play")
    doctor.page.wait_for_selector("#player[data-state=paused]")
    viewing = urllib.parse.urlsplit(doctor.page.url).path
    english.look(doctor, "viewing")
    assert len(films(doctor)) == 3

    # They play together, the patient from the moment when they came.
    doctor.act("play")
    playing(doctor)
    doctor.page.wait_for_function(
        "() => document.querySelectorAll('.film:not(.away)').length === 2"
    )
    doctor.page.wait_for_function(
        "() => [...document.querySelectorAll('.film:not(.away) video')]"
        ".every((video) => video.currentTime > 2)"
    )
    spread = doctor.page.evaluate(SPREAD, 120)
    print(f"films apart: median {spread[60]:.1f} ms, 95 % {spread[113]:.1f}, most {spread[-1]:.1f}")
    assert spread[113] < 40
    flashes = doctor.page.evaluate(FLASHES, 4)
    print(f"flashes: {flashes}")
    apart = [min(abs(one - other) for other in flashes[1]) for one in flashes[0][1:-1]]
    assert apart
    assert max(apart) < 80, "two pictures of 40 ms: pictures of two films are not shown at once"

    # A jump forward and one back, and the keys of the bar.
    for target, there in ((45, 2), (20, 3)):
        seek(doctor, target)
        playing(doctor)
        doctor.page.wait_for_function(
            "([target, there]) => { const films ="
            " [...document.querySelectorAll('.film:not(.away) video')].map((video) =>"
            " video.currentTime + Number(video.dataset.starts) / 1000);"
            " return films.length === there && films.every((at) => at > target + 2); }",
            arg=[target, there],
        )
        spread = brought_together(doctor)
        print(f"after the jump to {target} s: 95 % {spread[56]:.1f} ms, most {spread[-1]:.1f}")
    doctor.act("play")  # pauses
    doctor.page.wait_for_selector("#player[data-state=paused]")
    before = films(doctor)[0]["at"]
    doctor.page.focus("[data-bind=seek]")
    doctor.page.keyboard.press("ArrowRight")
    doctor.page.wait_for_selector("#player[data-state=paused]")
    doctor.wait(lambda: abs(films(doctor)[0]["at"] - before - 5) < 0.3, "five seconds on")
    doctor.page.select_option("[data-bind=speed]", "2")
    doctor.act("play")
    playing(doctor)
    first, at = films(doctor)[0]["at"], time.monotonic()
    doctor.wait(lambda: films(doctor)[0]["at"] > first + 3, "three seconds of it")
    assert time.monotonic() - at < 2.6
    doctor.act("play")
    doctor.page.click("#player summary")
    english.look(doctor, "viewing-told")
    told = doctor.page.text_content("[data-bind=told]") or ""
    assert "paused" in told
    assert "withdrew" in told

    # ------------------------------------------------ nobody else
    film = doctor.page.get_attribute("video[data-film]", "src") or ""
    assert status(doctor, film) == 200
    colleague = visitor("colleague")
    colleague.sign_in(installation.people[COLLEAGUE])
    for path, method, expected in (
        (f"/recordings/{recording}/", "GET", 403),
        (f"/recordings/{recording}/play/", "POST", 403),
        (f"/recordings/{recording}/inspect/", "POST", 403),
        (viewing, "GET", 403),
        (film, "GET", 403),
    ):
        assert status(colleague, path, method) == expected, path
    nobody = visitor("nobody")
    nobody.open("/")
    for path in (f"/recordings/{recording}/", viewing, film):
        assert status(nobody, path) in (401, 404)
    # The same clinician on another device: a viewing is of one screen.
    again = visitor("doctor-elsewhere")
    again.sign_in(installation.people[CLINICIAN])
    assert status(again, film) == 403

    # ------------------------------------------------ the officer
    officer = visitor("officer")
    officer.sign_in(installation.people[OFFICER])
    assert "AGED" in installation.manage("shell", "--no-imports", "-c", LONG_AGO)
    officer.open(f"/recordings/{recording}/")
    english.look(officer, "recording-officer-stale")
    assert status(officer, f"/recordings/{recording}/inspect/", "POST") == 403
    officer.act("confirm-factor")
    officer.page.fill("[name=code]", fresh_totp(installation.people[OFFICER].totp))
    officer.page.click("main button[type=submit]")
    officer.page.wait_for_selector("[data-form=inspect]")
    officer.page.evaluate(
        "() => { document.querySelector('[data-form=inspect]').noValidate = true }"
    )
    officer.act("inspect")
    officer.page.wait_for_selector("[data-problem=reason_missing]")
    english.look(officer, "recording-officer")
    officer.page.fill("[data-form=inspect] [name=reason]", "A complaint of the patient.")
    officer.act("inspect")
    officer.page.wait_for_selector("#player[data-state=paused]")
    officer.act("play")
    playing(officer)
    officer.page.wait_for_function(
        "() => document.querySelector('video[data-film]').currentTime > 1"
    )
    officer.open(f"/recordings/{recording}/")
    officer.page.click("details:has([data-form=hold]) summary")
    officer.page.fill("[data-form=hold] [name=reason]", "A complaint was announced.")
    officer.page.click("[data-form=hold] button")
    officer.page.wait_for_selector("[data-hold] [data-action=release]")
    english.look(officer, "recording-held")
    officer.act("release")
    officer.page.wait_for_selector("[data-hold]:not(:has([data-action=release]))")
    officer.page.click("header nav a:has-text('Recording policy')")
    officer.page.wait_for_selector("[data-form=recording-policy]")
    officer.page.fill("[name=keep_days]", "1000")
    officer.page.click("[data-form=recording-policy] button")
    officer.page.wait_for_selector("[data-version]")
    english.look(officer, "recording-policy")
    for page in ("storedfilm", "hold", "retentionpolicy", "viewing", "recording"):
        officer.open(f"/admin/recordings/{page}/")
        officer.page.click("#result_list tbody a >> nth=0")
        officer.page.wait_for_selector("#content fieldset")
    english.look(officer, "desk-recording")

    # ------------------------------------------------ its end ends every viewing
    doctor.act("play")
    playing(doctor)
    said = installation.manage("shell", "--no-imports", "-c", RETIRE.format(recording=recording))
    assert "STATE shredded" in said
    assert status(doctor, film) == 410
    # Whatever the browser holds of it is let go, too.
    doctor.page.wait_for_selector("#player[data-state=failed]")
    assert [film["ready"] for film in films(doctor)] == [0, 0, 0]
    doctor.page.wait_for_selector("[data-bind=problem]:not([hidden])")
    english.look(doctor, "viewing-over")
    doctor.open(f"/desk/meetings/{meeting}/")
    doctor.page.wait_for_selector(f'[data-recording="{recording}"][data-state=shredded]')

    assert english.found == []
    refused = {
        (tag, reason) for tag, reason, _ in trail.refusals(since) if tag.startswith("recordings:")
    }
    assert refused >= {
        ("recordings:recording:view", "not_permitted"),
        ("recordings:recording:play", "not_permitted"),
        ("recordings:recording:inspect", "not_permitted"),
        ("recordings:recording:inspect", "second_factor_stale"),
        ("recordings:recording:inspect", "reason_missing"),
        ("recordings:viewing:read", "not_permitted"),
        ("recordings:viewing:read", "viewing_over"),
    }
    assert not trail.cells_with(re.compile("A complaint (of the patient|was announced)"))
