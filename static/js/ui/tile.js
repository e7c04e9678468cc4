// @ts-check
/** One tile: somebody's face with their voice, or their screen. */

import { deviceChoice } from "../media/choices.js";
import { make, words } from "./dom.js";
import { fill } from "./words.js";

/** @import {Group} from "../media/path.js" */
/** @import {Person} from "../wire/messages.js" */
/** @import {TileEvents} from "./tiles.js" */

export class Tile {
  #group;
  #events;
  // Sound plays in its own element: a <video> waits for its first picture before it plays anything.
  #audio = make("audio");
  #video = make("video");
  #still = make("canvas", { className: "still" });
  #off = make("p", { className: "tile-off" });
  #caption = make("p", { className: "tile-name" });
  /** @type {MediaStream | null} */
  #stream = null;

  /**
   * @param {string} participation
   * @param {Group} group
   * @param {TileEvents} events
   */
  constructor(participation, group, events) {
    this.#group = group;
    this.#events = events;
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.autoplay = true;
    this.#audio.autoplay = true;
    this.element = make(
      "article",
      { className: "tile", data: { participation, group, playing: "no" } },
      this.#still,
      this.#video,
      this.#off,
      this.#caption,
      ...(group === "camera" ? [this.#audio] : []),
    );
    this.#still.hidden = true;
    this.#still.setAttribute("aria-hidden", "true");
    this.speaker(deviceChoice().speaker ?? "");
  }

  /**
   * @param {Person} person
   * @param {boolean} outdated the person may have changed since: the marks say how it was
   */
  person(person, outdated) {
    const screen = this.#group === "screen";
    this.element.dataset.connected = person.connected ? "yes" : "no";
    this.element.dataset.camera = screen || person.camera ? "on" : "off";
    const caption = captionOf(person, this.#group, outdated);
    words(this.#caption, caption);
    words(
      this.#off,
      screen || person.camera
        ? fill(gettext("Connecting to %(name)s…"), { name: person.name })
        : outdated
          ? fill(gettext("%(name)s's camera was off"), { name: person.name })
          : fill(gettext("%(name)s's camera is off"), { name: person.name }),
    );
    this.#video.setAttribute("aria-label", caption);
  }

  /** @param {MediaStream | null} stream */
  stream(stream) {
    if (stream === this.#stream) return;
    this.#keepStill();
    this.#stream = stream;
    this.element.dataset.playing = "no";
    this.#video.srcObject = stream === null ? null : new MediaStream(stream.getVideoTracks());
    this.#audio.srcObject = stream === null ? null : new MediaStream(stream.getAudioTracks());
    if (stream === null) return;
    // The worker may add the voice to a stream that had a face only, or the other way round.
    stream.addEventListener("addtrack", () => this.#refill(stream));
    this.#awaitFrame(stream);
    this.play();
  }

  play() {
    if (this.#stream === null) return;
    this.#video.play().catch(() => {});
    if (this.#group !== "camera") return;
    this.#audio.play().catch((error) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#events.silenced();
    });
  }

  /** @param {string} id */
  speaker(id) {
    if ("setSinkId" in this.#audio) this.#audio.setSinkId(id).catch(() => {});
  }

  /** @param {MediaStream} stream */
  #refill(stream) {
    if (stream !== this.#stream) return;
    this.#video.srcObject = new MediaStream(stream.getVideoTracks());
    this.#audio.srcObject = new MediaStream(stream.getAudioTracks());
    this.play();
  }

  /** @param {MediaStream} stream */
  #awaitFrame(stream) {
    const seen = () => {
      if (stream !== this.#stream) return;
      this.element.dataset.playing = "yes";
      this.#still.hidden = true;
      this.#events.firstFrame();
    };
    if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback(seen);
    else /** @type {HTMLVideoElement} */ (this.#video).addEventListener("loadeddata", seen, { once: true });
  }

  #keepStill() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (this.element.dataset.playing !== "yes" || width === 0) return;
    this.#still.width = width;
    this.#still.height = height;
    this.#still.getContext("2d")?.drawImage(this.#video, 0, 0);
    this.#still.hidden = false;
  }
}

/**
 * The line at the foot of a tile.
 *
 * @param {Person} person
 * @param {Group} group
 * @param {boolean} outdated
 */
function captionOf(person, group, outdated) {
  const { name } = person;
  if (group === "screen") return fill(gettext("%(name)s's screen"), { name });
  if (!person.connected) return fill(gettext("%(name)s, reconnecting…"), { name });
  if (!person.microphone && outdated) return fill(gettext("%(name)s, was muted"), { name });
  if (!person.microphone) return fill(gettext("%(name)s, muted"), { name });
  return name;
}
