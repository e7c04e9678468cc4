"""A browser's own player plays a film, and jumps in it without reading what lies between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from recordings.films.plan import Film, plan, write
from tests.recordings.films import studio
from tests.recordings.films.studio import Person, camera, microphone, run

pytestmark = pytest.mark.browser

FLAGS = ["--headless=new", "--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
LENGTH_S = 150

PAGE = """<!doctype html><title>film</title><video id=video preload=metadata></video><script>
const canvas = document.createElement("canvas");
const heard = new Promise((resolve, reject) => {
  video.onloadedmetadata = () => resolve([video.duration, video.videoWidth, video.videoHeight]);
  video.onerror = () => reject(new Error(video.error.message));
});
video.src = "/film.webm";
function once(name) { return new Promise((resolve) =>
  video.addEventListener(name, resolve, {once: true})); }
// `seeked` may come before the new picture can be drawn from.
function shows(seconds) { return new Promise((resolve) => {
  const see = (_now, frame) =>
    Math.abs(frame.mediaTime - seconds) < 0.06 ? resolve() : video.requestVideoFrameCallback(see);
  video.requestVideoFrameCallback(see);
}); }
async function jump(seconds) {
  const done = Promise.all([once("seeked"), shows(seconds)]);
  video.currentTime = seconds;
  await done;
  return look();
}
function look() {
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const row = context.getImageData(0, 10, canvas.width, 1).data;
  let bar = -1;
  for (let x = 0; x < canvas.width; x++) if (row[4 * x] > 95 && bar < 0) bar = x;
  return {at: video.currentTime, bright: row[4 * 20], bar,
    error: video.error && video.error.message,
    frames: video.webkitDecodedFrameCount, sound: video.webkitAudioDecodedByteCount};
}
</script>"""


class Shelf:
    """Serves one film by ranges, and counts what it gave."""

    def __init__(self, film: bytes) -> None:
        self.film = film
        self.given = 0

    async def page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        wanted = request.http_range
        start, stop = wanted.start or 0, wanted.stop or len(self.film)
        response = web.StreamResponse(status=206)
        response.content_type = "video/webm"
        response.content_length = stop - start
        response.headers["Accept-Ranges"] = "bytes"
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(self.film)}"
        await response.prepare(request)
        # A player that jumps breaks off what it was reading.
        with contextlib.suppress(ConnectionError):
            for at in range(start, stop, 65_536):
                piece = self.film[at : min(at + 65_536, stop)]
                await response.write(piece)
                self.given += len(piece)
        return response


@pytest.fixture(scope="module")
def made() -> tuple[Person, Film, bytes]:
    person = Person(clock_s=3.7e9, ppm=120)
    # Zeros behind a picture are ignored, and make it as large as one of a face.
    large = tuple(picture + bytes(12_000) for picture in studio.pictures())
    feeds = [camera(person, content=((0, large),)), microphone(person)]
    [film] = plan(lambda: run(feeds, LENGTH_S), studio.STARTED_US).films
    return person, film, b"".join(write(film, lambda: run(feeds, LENGTH_S)))


@pytest.fixture
async def opened(made: tuple[Person, Film, bytes]) -> AsyncIterator[tuple[Page, Shelf]]:
    shelf = Shelf(made[2])
    application = web.Application()
    application.router.add_get("/", shelf.page)
    application.router.add_get("/film.webm", shelf.serve)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0).start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = await browser.new_page()
        await page.goto(f"http://localhost:{runner.addresses[0][1]}/")
        yield page, shelf
        await browser.close()
    await runner.cleanup()


async def test_chromium_plays_a_film_and_jumps_in_it(
    made: tuple[Person, Film, bytes], opened: tuple[Page, Shelf]
) -> None:
    await asyncio.wait_for(_watch(*made, *opened), 60)


async def _watch(person: Person, film: Film, data: bytes, page: Page, shelf: Shelf) -> None:
    assert await page.evaluate("heard") == [film.duration_ms / 1_000, 160, 120]

    # It plays: time goes on, the picture changes, the voice is decoded.
    await page.evaluate("video.play()")
    await page.wait_for_function("video.currentTime > 1.5")
    first = await page.evaluate("look()")
    await page.wait_for_function(f"look().bar >= 0 && look().bar != {first['bar']}")
    await page.evaluate("video.pause()")
    seen: dict[str, Any] = await page.evaluate("look()")
    assert seen["frames"] > 25
    assert seen["sound"] > 0

    # It jumps, forward and back, into the flash and beside it.
    for second in (140, 75, 3, 111):
        flash = person.event(second) - film.starts_ms / 1_000 + 0.06
        for at, is_white in ((flash, True), (flash - 0.3, False), (flash + 0.3, False)):
            seen = await page.evaluate("jump", at)
            assert seen["error"] is None
            assert seen["at"] == pytest.approx(at, abs=0.001)
            assert (seen["bright"] > 180) is is_white, (second, at - flash, seen)

    # A jump plays on from there.
    await page.evaluate("video.play()")
    await page.wait_for_function("video.currentTime > 112.5")
    assert (await page.evaluate("look()"))["error"] is None
    print(f"{shelf.given / 1e6:.1f} MB of a film of {len(data) / 1e6:.1f} MB were given")


async def test_a_jump_to_the_end_reads_neither_the_middle_nor_the_end_first(
    made: tuple[Person, Film, bytes], opened: tuple[Page, Shelf]
) -> None:
    page, shelf = opened
    await page.evaluate("heard")
    seen = await page.evaluate("jump", LENGTH_S - 5.0)
    assert seen["error"] is None
    print(f"{shelf.given / 1e6:.1f} MB of {len(made[2]) / 1e6:.1f} MB were given for the jump")
    assert shelf.given < len(made[2]) / 2


async def test_chromium_plays_to_the_end(
    made: tuple[Person, Film, bytes], opened: tuple[Page, Shelf]
) -> None:
    page, _ = opened
    await page.evaluate("heard")
    await page.evaluate("jump", made[1].duration_ms / 1_000 - 1.5)
    await page.evaluate("video.play()")
    await page.wait_for_function("video.ended")
    assert (await page.evaluate("look()"))["error"] is None
