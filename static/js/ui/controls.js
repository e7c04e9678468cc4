// @ts-check
/** The bar below the call: mute, camera, screen, and their two keys. */

import { canShareScreen } from "../media/devices.js";
import { announce } from "./announce.js";
import { button, find, icon } from "./dom.js";

/** @import {Sources} from "../media/sources.js" */

/** Devices that answer slowly are not asked twice. @type {(control: HTMLElement, run: () => Promise<unknown>) => Promise<void>} */
async function once(control, run) {
  if (control.getAttribute("aria-busy") === "true") return;
  control.setAttribute("aria-busy", "true");
  await run().finally(() => control.removeAttribute("aria-busy"));
}

/**
 * @param {HTMLElement} section
 * @param {Sources} sources
 * @param {{changed: () => void, trouble: (pressed: "microphone" | "camera") => void}} events
 * @param {AbortSignal} signal ends it all
 */
export function controls(section, sources, events, signal) {
  const mute = button(section, "mute");
  const camera = button(section, "camera");
  const screen = button(section, "screen");
  screen.hidden = !canShareScreen();

  const render = () => {
    const heard = sources.isOn("microphone");
    const seen = sources.isOn("camera");
    const shared = sources.isOn("screen");
    face(mute, heard ? "microphone" : "microphone-off", muteWord(sources, heard));
    face(camera, seen ? "camera" : "camera-off", seen ? gettext("Camera") : gettext("Camera off"));
    face(screen, "screen", shared ? gettext("Stop") : gettext("Share"));
    mute.dataset.on = heard ? "yes" : "no";
    camera.dataset.on = seen ? "yes" : "no";
    screen.dataset.on = shared ? "yes" : "no";
    find(section, '[data-bind="own-muted"]', HTMLElement).hidden = heard;
  };

  const toggleMute = () =>
    once(mute, async () => {
      await sources.setMicrophone(!sources.isOn("microphone"));
      if (sources.trouble.microphone !== null) events.trouble("microphone");
      announce(sources.isOn("microphone") ? gettext("You can be heard.") : gettext("You are muted."));
    });
  const toggleCamera = () =>
    once(camera, async () => {
      await sources.setCamera(!sources.isOn("camera"));
      if (sources.trouble.camera !== null) events.trouble("camera");
      announce(sources.isOn("camera") ? gettext("You can be seen.") : gettext("Your camera is off."));
    });

  mute.addEventListener("click", () => void toggleMute(), { signal });
  camera.addEventListener("click", () => void toggleCamera(), { signal });
  screen.addEventListener(
    "click",
    () => void once(screen, () => sources.setScreen(!sources.isOn("screen"))),
    { signal },
  );
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
      const key = event.key.toLowerCase();
      if (key === "m") void toggleMute();
      if (key === "v") void toggleCamera();
    },
    { signal },
  );
  const unlisten = sources.onChange(() => {
    render();
    events.changed();
  });
  signal.addEventListener("abort", () => unlisten());
  render();
}

/** @param {Sources} sources @param {boolean} heard */
function muteWord(sources, heard) {
  if (heard) return gettext("Mute");
  return sources.track("microphone") === null ? gettext("No sound") : gettext("Unmute");
}

/** @param {HTMLElement} control @param {string} picture @param {string} word */
function face(control, picture, word) {
  icon(control, picture);
  find(control, ".tool-word", HTMLElement).textContent = word;
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && target.closest("input, textarea, select, dialog") !== null;
}
