"""From a jump to the first picture after it, in two films of a recording that play together.

Beside it the same two films, plain, as static files of the same server, in two bare elements of a
page of ours: what a browser and this server take at the least. Each sample is a page of its own, so
that nothing of the film lies in the browser yet.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.benchmarks.figures import Figure, median, spread
from tests.flows.conftest import CLINICIAN
from tests.flows.people import Visitor
from tests.recordings.live import staged
from tests.servers.installation import Installation

#: Where the jumps go, in seconds of the recording: to where both are there and nothing is paused.
TARGETS = (7, 12, 16, 19, 22, 25, 28, 36, 39, 42, 45)

#: The films of the faces, opened, where the web process serves static files from.
PLAIN = """
from pathlib import Path
from django.conf import settings
from recordings import viewings
from recordings.models import StoredFilm
for film in StoredFilm.objects.filter(recording_id={recording!r}).order_by("starts_ms"):
    if "screen" in film.sources:
        continue
    folder = Path(settings.STATIC_ROOT) / "bench"
    folder.mkdir(exist_ok=True)
    pieces = viewings.reader(film.recording, film).read(0, film.plaintext_bytes)
    with (folder / f"{{film.pk}}.webm").open("wb") as file:
        file.writelines(pieces)
    print("FILM", film.pk, film.starts_ms)
"""

#: Resolves when each of ``videos`` has shown a picture of about the time it was sent to.
SHOWN = """
const shown = (video, at) => new Promise((done) => {
  const look = (now, {mediaTime}) => {
    if (Math.abs(mediaTime - at) < 0.2) done();
    else video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
});
"""

OURS = (
    """async (seconds) => {"""
    + SHOWN
    + """
  const bar = document.querySelector('[data-bind=seek]');
  const faces = [...document.querySelectorAll('.film[data-screen=no] video')];
  const began = performance.now();
  const pictures = faces.map((video) => shown(video, seconds - video.dataset.starts / 1000));
  bar.value = String(seconds * 1000);
  bar.dispatchEvent(new Event('input'));
  bar.dispatchEvent(new Event('change'));
  await Promise.all(pictures);
  return performance.now() - began;
}"""
)

BARE_READY = """async (films) => {
  const videos = films.map(([name, starts]) => {
    const video = document.createElement('video');
    video.preload = 'auto';
    video.dataset.starts = starts;
    video.src = `/static/bench/${name}.webm`;
    video.className = 'bench';
    document.querySelector('main').prepend(video);
    return video;
  });
  await Promise.all(videos.map((video) => new Promise((done, fail) => {
    video.addEventListener('canplay', done, {once: true});
    video.addEventListener('error', () => fail(new Error('not played')));
  })));
}"""

BARE = (
    """async (seconds) => {"""
    + SHOWN
    + """
  const videos = [...document.querySelectorAll('video.bench')];
  const began = performance.now();
  const pictures = videos.map((video) => {
    const at = seconds - video.dataset.starts / 1000;
    const done = shown(video, at);
    video.currentTime = at;
    return done;
  });
  await Promise.all(pictures);
  return performance.now() - began;
}"""
)


def measure(folder: Path) -> list[Figure]:
    installation = Installation(folder / "playback", "bench-playback")
    installation.start()
    ours: list[float] = []
    bare: list[float] = []
    try:
        recording, _ = staged(installation)
        printed = installation.manage(
            "shell", "--no-imports", "-c", PLAIN.format(recording=recording)
        )
        films = [line.split()[1:] for line in printed.splitlines() if line.startswith("FILM")]
        # Static files are listed when a web process starts.
        old = installation.kill9("web")
        installation.wait_for_restart("web", old)
        installation.wait_for_web()
        with sync_playwright() as playwright:
            doctor = Visitor(playwright, "doctor", installation.url)
            doctor.sign_in(installation.people[CLINICIAN])
            doctor.open(f"/recordings/{recording}/")
            doctor.act("play")
            doctor.page.wait_for_selector("#player[data-state=paused]")
            viewing = doctor.page.url
            # In turn, so that whatever else the machine does falls on both alike.
            for number, target in enumerate((TARGETS[0], *TARGETS)):
                doctor.page.goto(viewing)
                doctor.page.wait_for_selector("#player[data-state=paused]")
                one = float(doctor.page.evaluate(OURS, target))
                doctor.open("/promise/")
                doctor.page.evaluate(BARE_READY, films)
                other = float(doctor.page.evaluate(BARE, target))
                if number:  # the first finds nothing of the pages in the browser's cache
                    ours.append(one)
                    bare.append(other)
            doctor.close()
    finally:
        installation.stop()
    return [Figure("playback.seek_ms", median(ours), "ms", median(bare), spread(ours))]
