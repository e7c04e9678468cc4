// @ts-check
/** Second stage: do camera, microphone and speaker work? Nothing leaves the device here. */

import { deviceChoice } from "../media/choices.js";
import { playTone, watchLevel } from "../media/level.js";
import { bound, button, find, words } from "./dom.js";
import { troubleWords } from "./words.js";

/** @import {Sources} from "../media/sources.js" */

/** Louder than a quiet room: somebody spoke. */
const SPOKEN = 0.3;

export class CheckStage {
  #section;
  #sources;
  /** @type {(() => void) | null} */
  #stopMeter = null;
  #shown = false;
  #heard = false;

  /**
   * @param {HTMLElement} room
   * @param {Sources} sources
   * @param {() => void} ready
   */
  constructor(room, sources, ready) {
    this.#section = find(room, '[data-for="check"]', HTMLElement);
    this.#sources = sources;
    const press = (/** @type {string} */ action, /** @type {() => void} */ run) =>
      button(this.#section, action).addEventListener("click", run);
    press("ready", ready);
    press("try-again", () => void this.#open());
    press("check-camera", () => void sources.setCamera(!sources.isOn("camera")));
    press("tone", () => void this.#tone());
    sources.onChange(() => {
      if (this.#shown) this.#render();
    });
  }

  show() {
    this.#shown = true;
    this.#render();
    void this.#open();
  }

  hide() {
    this.#shown = false;
    this.#stopMeter?.();
    this.#stopMeter = null;
  }

  async #open() {
    const again = button(this.#section, "try-again");
    again.setAttribute("aria-busy", "true");
    await this.#sources.open();
    again.removeAttribute("aria-busy");
    if (this.#shown) this.#render();
  }

  #render() {
    const { trouble } = this.#sources;
    const able = "RTCPeerConnection" in window;
    const said = troubleWords(able ? trouble : { microphone: "unsupported", camera: "unsupported" });
    button(this.#section, "ready").disabled = !able;
    bound(this.#section, "trouble").hidden = said === null;
    words(bound(this.#section, "trouble-title"), said?.title ?? "");
    words(bound(this.#section, "trouble-help"), said?.help ?? "");
    words(bound(this.#section, "level-words"), this.#levelWords());
    const seen = this.#sources.isOn("camera");
    words(
      bound(this.#section, "camera-words"),
      trouble.camera === null
        ? gettext("Your camera is off.")
        : gettext("No picture. You can go on without a camera."),
    );
    const toggle = button(this.#section, "check-camera");
    toggle.textContent = seen ? gettext("Turn camera off") : gettext("Turn camera on");
    toggle.hidden = trouble.camera !== null;
    this.#meter();
  }

  #meter() {
    this.#stopMeter?.();
    this.#stopMeter = null;
    const track = this.#sources.track("microphone");
    const meter = bound(this.#section, "level");
    const show = (/** @type {number} */ level) => {
      meter.style.setProperty("--level", level.toFixed(2));
      meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
    };
    show(0);
    if (track === null) return;
    this.#stopMeter = watchLevel(track, (level) => {
      show(level);
      if (this.#heard || level <= SPOKEN) return;
      this.#heard = true;
      words(bound(this.#section, "level-words"), this.#levelWords());
    });
  }

  #levelWords() {
    if (this.#sources.track("microphone") === null) return gettext("None in use.");
    return this.#heard ? gettext("We hear you.") : gettext("Say something: the bar should move.");
  }

  async #tone() {
    const play = button(this.#section, "tone");
    play.setAttribute("aria-busy", "true");
    await playTone(deviceChoice().speaker).catch(() => {});
    play.removeAttribute("aria-busy");
    play.textContent = gettext("Play them again");
    words(
      bound(this.#section, "tone-words"),
      gettext("Did you hear three notes? If not, turn the volume up or choose another speaker."),
    );
  }
}
