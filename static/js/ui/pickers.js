// @ts-check
/** The three lists to choose camera, microphone and speaker from; the page has them twice. */

import { deviceChoice, rememberDevices } from "../media/choices.js";
import { canChooseSpeaker, listDevices } from "../media/devices.js";
import { fill } from "./words.js";

/** @import {Sources} from "../media/sources.js" */

const KINDS = /** @type {const} */ (["camera", "microphone", "speaker"]);

/**
 * @param {HTMLElement} room
 * @param {Sources} sources
 * @param {(speaker: string) => void} onSpeaker
 */
export function pickers(room, sources, onSpeaker) {
  const refresh = () => void fillAll(room, sources);
  for (const picker of room.querySelectorAll("select[data-picker]")) {
    if (!(picker instanceof HTMLSelectElement)) continue;
    picker.addEventListener("change", () => {
      const kind = picker.dataset.picker;
      if (kind === "camera" || kind === "microphone") void sources.choose(kind, picker.value);
      if (kind === "speaker") {
        rememberDevices({ speaker: picker.value });
        onSpeaker(picker.value);
      }
      refresh();
    });
  }
  navigator.mediaDevices?.addEventListener("devicechange", refresh);
  sources.onChange(refresh); // names of devices are known only once one of them is open
  refresh();
}

/**
 * @param {HTMLElement} room
 * @param {Sources} sources
 */
async function fillAll(room, sources) {
  const devices = await listDevices();
  for (const kind of KINDS) {
    const current = kind === "speaker" ? (deviceChoice().speaker ?? "") : sources.deviceId(kind);
    const hopeless = devices[kind].length === 0 || (kind === "speaker" && !canChooseSpeaker());
    for (const picker of room.querySelectorAll(`select[data-picker="${kind}"]`)) {
      if (!(picker instanceof HTMLSelectElement)) continue;
      const field = picker.closest(".field");
      if (field instanceof HTMLElement) field.hidden = hopeless;
      picker.replaceChildren(
        ...devices[kind].map((device, place) => {
          const name = device.label || fill(gettext("Device %(number)s"), { number: place + 1 });
          return new Option(name, device.deviceId, false, device.deviceId === current);
        }),
      );
    }
  }
}
