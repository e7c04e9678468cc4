// @ts-check
/** The page on which a recording is looked at: the player, its controls, and what they say. */

import { bound, button, find, icon, make, words } from "../ui/dom.js";
import { Player } from "../ui/player.js";
import { clockText, drawMarks, tell } from "../ui/player-timeline.js";

/** @type {import("../ui/player-timeline.js").Reel} */
const reel = JSON.parse(find(document, "#reel", HTMLScriptElement).textContent ?? "");

const root = find(document, "#player", HTMLElement);
const play = button(root, "play");
const seek = find(root, "[data-bind=seek]", HTMLInputElement);
const speed = find(root, "[data-bind=speed]", HTMLSelectElement);

const player = new Player(reel.films, reel.duration);
bound(root, "films").append(...player.films.map((film) => film.element));
bound(root, "marks").append(drawMarks(reel));
bound(root, "told").append(...tell(reel));
bound(root, "length").textContent = clockText(reel.duration);
seek.max = String(reel.duration);
// With arrow keys, five seconds; a page of the bar is a tenth of it, which the browser does.
seek.step = "1";

for (const film of player.films) {
  if (!film.hasSound) continue;
  const slider = make("input");
  Object.assign(slider, { type: "range", min: "0", max: "1", step: "0.05", value: "1" });
  slider.addEventListener("input", () => {
    film.video.volume = Number(slider.value);
  });
  const text = interpolate(gettext("Volume of %(name)s"), { name: film.data.name }, true);
  bound(root, "volumes").append(make("label", {}, make("span", { text }), slider));
}

/** Whether somebody is dragging the bar: it does not jump back under their finger. */
let dragging = false;

function showTime() {
  const ms = player.time * 1000;
  bound(root, "time").textContent = clockText(ms);
  if (!dragging) seek.value = String(Math.round(ms));
  seek.setAttribute(
    "aria-valuetext",
    interpolate(
      gettext("%(at)s of %(length)s"),
      { at: clockText(ms), length: clockText(reel.duration) },
      true,
    ),
  );
}

function showState() {
  root.dataset["state"] = player.state;
  play.disabled = player.state === "failed";
  words(
    bound(root, "play-label"),
    player.wants ? gettext("Pause") : gettext("Play"),
  );
  icon(play, player.wants ? "pause" : "play");
  words(bound(root, "status"), player.state === "waiting" ? gettext("Loading …") : "");
}

play.addEventListener("click", () => {
  if (player.wants) player.pause();
  else player.play();
  showState();
});
seek.addEventListener("input", () => {
  dragging = true;
  bound(root, "time").textContent = clockText(Number(seek.value));
});
seek.addEventListener("change", () => {
  dragging = false;
  player.seek(Number(seek.value) / 1000);
});
seek.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -60, PageUp: 60 };
  const step = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (step === undefined) return;
  event.preventDefault();
  player.seek(player.time + step);
});
speed.addEventListener("change", () => player.hurry(Number(speed.value)));
player.addEventListener("time", showTime);
player.addEventListener("state", showState);
player.addEventListener("failed", (event) => {
  words(
    find(document, "[data-bind=problem]", HTMLElement),
    String(/** @type {CustomEvent<string>} */ (event).detail),
  );
  showState();
});
showState();
showTime();

/** How often the server is asked whether the viewing is still open: a browser holds minutes of it. */
const ASK_EVERY_MS = 5000;

/** What it answers when it is not; when the line is down, the films say so themselves. */
const OVER = [401, 403, 404, 410];

function end() {
  clearInterval(asking);
  player.end(gettext("This viewing is over. Open a new one from the recording’s page."));
}

const asking = setInterval(async () => {
  const film = reel.films[0];
  const answer = film && (await fetch(film.url, { method: "HEAD" }).catch(() => undefined));
  if (answer && OVER.includes(answer.status)) end();
}, ASK_EVERY_MS);

setTimeout(end, reel.left); // and not a time of day: this device's clock may be wrong
