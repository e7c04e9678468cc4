// @ts-check
/**
 * What this person sends: microphone, camera, screen. One place that opens, mutes, switches and
 * closes them; the preview, the buttons and the media path all follow its news.
 *
 * A muted microphone stays open (so that unmuting is instant) but is silent; a camera that is off
 * is closed, so that its light goes out.
 */

import { deviceChoice, rememberDevices } from "./choices.js";
import { openBoth, openCamera, openMicrophone, openScreen } from "./devices.js";

/** @import {DeviceTrouble} from "./devices.js" */
/** @import {SourceName} from "./path.js" */
/** @typedef {(source: SourceName, track: MediaStreamTrack | null) => void} SourceListener */

export class Sources {
  /** @type {Record<SourceName, MediaStreamTrack | null>} */
  #tracks = { microphone: null, camera: null, screen: null };
  #wanted;
  /** @type {Set<SourceListener>} */
  #listeners = new Set();
  /** Why a source would not open, while that is so. @type {Record<"microphone" | "camera", DeviceTrouble | null>} */
  trouble = { microphone: null, camera: null };
  /** @type {Promise<void> | null} */
  #opening = null;

  /** @param {{microphone: boolean, camera: boolean}} wanted */
  constructor(wanted) {
    this.#wanted = { microphone: wanted.microphone, camera: wanted.camera };
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#revive());
    document.addEventListener("visibilitychange", () => void this.#revive());
  }

  /** @param {SourceListener} listener @returns {() => void} stops listening */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {SourceName} source */
  track(source) {
    return this.#tracks[source];
  }

  /** Whether others can hear or see this source now. @param {SourceName} source */
  isOn(source) {
    const track = this.#tracks[source];
    return track !== null && track.readyState === "live" && track.enabled && !track.muted;
  }

  /** What the person asked for, whether or not a device obeys. */
  get wanted() {
    return { ...this.#wanted };
  }

  /** Opens what is wanted; several callers share one opening. */
  open() {
    this.#opening ??= this.#openAll().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /** @param {boolean} on */
  async setMicrophone(on) {
    this.#wanted.microphone = on;
    const track = this.#tracks.microphone;
    if (track !== null && track.readyState === "live") {
      track.enabled = on;
      this.#tell("microphone");
    } else if (on) await this.#reopenMicrophone();
  }

  /** @param {boolean} on */
  async setCamera(on) {
    this.#wanted.camera = on;
    if (on) await this.#reopenCamera();
    else this.#set("camera", null);
  }

  /** @returns {Promise<boolean>} whether a screen is shared now */
  async setScreen(/** @type {boolean} */ on) {
    if (!on) this.#set("screen", null);
    else {
      const track = await openScreen();
      if (track !== null) this.#set("screen", track);
    }
    return this.isOn("screen");
  }

  /**
   * @param {"microphone" | "camera"} source
   * @param {string} id
   */
  async choose(source, id) {
    rememberDevices({ [source]: id });
    if (source === "microphone") await this.#reopenMicrophone();
    else if (this.#wanted.camera) await this.#reopenCamera();
  }

  /** Which device is in use, or "". @param {"microphone" | "camera"} source */
  deviceId(source) {
    return this.#tracks[source]?.getSettings().deviceId ?? deviceChoice()[source] ?? "";
  }

  close() {
    for (const source of /** @type {SourceName[]} */ (["microphone", "camera", "screen"])) {
      this.#set(source, null);
    }
  }

  async #openAll() {
    const needs = {
      microphone: this.#tracks.microphone?.readyState !== "live",
      camera: this.#wanted.camera && this.#tracks.camera?.readyState !== "live",
    };
    if (needs.microphone && needs.camera) {
      const { microphone, camera } = await openBoth(deviceChoice());
      this.trouble = { microphone: microphone.trouble, camera: camera.trouble };
      this.#setMicrophone(microphone.track);
      this.#set("camera", camera.track);
    } else {
      if (needs.microphone) await this.#reopenMicrophone();
      if (needs.camera) await this.#reopenCamera();
    }
  }

  async #reopenMicrophone() {
    // The old one is closed first: some phones give the microphone to one opener only.
    this.#tracks.microphone?.stop();
    const { track, trouble } = await openMicrophone(deviceChoice().microphone);
    this.trouble.microphone = trouble;
    this.#setMicrophone(track);
  }

  async #reopenCamera() {
    this.#tracks.camera?.stop();
    const { track, trouble } = await openCamera(deviceChoice().camera);
    this.trouble.camera = trouble;
    if (this.#wanted.camera) this.#set("camera", track);
    else track?.stop();
  }

  /** @param {MediaStreamTrack | null} track */
  #setMicrophone(track) {
    if (track !== null) track.enabled = this.#wanted.microphone;
    this.#set("microphone", track);
  }

  /**
   * @param {SourceName} source
   * @param {MediaStreamTrack | null} track
   */
  #set(source, track) {
    const old = this.#tracks[source];
    if (old === null && track === null && this.trouble.camera === null) return;
    this.#tracks[source] = track;
    if (old !== track) old?.stop();
    // `ended` comes when a device is unplugged, a call interrupts, or sharing is stopped from the
    // browser's own bar; our own stop() does not raise it.
    track?.addEventListener("ended", () => this.#ended(source, track));
    // A phone call takes the microphone away for a while and gives it back.
    track?.addEventListener("mute", () => this.#tell(source));
    track?.addEventListener("unmute", () => this.#tell(source));
    this.#tell(source);
  }

  /**
   * @param {SourceName} source
   * @param {MediaStreamTrack} track
   */
  #ended(source, track) {
    if (this.#tracks[source] !== track) return;
    this.#set(source, null);
    if (source !== "screen") void this.#revive();
  }

  /** After an interruption: what is wanted and was lost is opened again. */
  async #revive() {
    if (document.visibilityState !== "visible" || this.#opening !== null) return;
    const lost = (/** @type {"microphone" | "camera"} */ source) =>
      this.#lost.has(source) && this.#tracks[source] === null && this.#wanted[source];
    if (lost("microphone")) await this.#reopenMicrophone();
    if (lost("camera")) await this.#reopenCamera();
  }

  /** Sources that were on once in this page: only those come back by themselves. */
  #lost = /** @type {Set<SourceName>} */ (new Set());

  /** @param {SourceName} source */
  #tell(source) {
    const track = this.#tracks[source];
    if (track !== null) this.#lost.add(source);
    for (const listener of this.#listeners) listener(source, track);
  }
}
