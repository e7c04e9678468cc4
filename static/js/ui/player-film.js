// @ts-check
/** One film of a recording on the page: its picture, its volume, and where it is on the clock. */

import { FAR_S, follow, smoothed } from "./player-clock.js";
import { make } from "./dom.js";

/**
 * @typedef {{id: string, url: string, place: string, name: string, screen: boolean,
 *   sources: string[], starts: number, duration: number}} FilmData
 */

export class Film {
  /** @param {FilmData} data @param {(why: string) => void} failed */
  constructor(data, failed) {
    this.data = data;
    this.startsS = data.starts / 1000;
    this.endsS = (data.starts + data.duration) / 1000;
    /** @type {number | null} how far off it is, smoothed */
    this._offS = null;
    this.video = make("video", { data: { film: data.id, starts: String(data.starts) } });
    this.video.preload = "auto";
    this.video.playsInline = true;
    this.video.disablePictureInPicture = true;
    this.video.addEventListener("error", () => failed(explain(this.video.error)));
    this.video.src = data.url;
    this.absent = make("p", { className: "absent", text: gettext("Not there at this moment") });
    const caption = data.screen
      ? interpolate(gettext("%(name)s: screen"), { name: data.name }, true)
      : data.name;
    this.video.setAttribute("aria-label", caption);
    this.element = make(
      "figure",
      { className: "film", data: { place: data.place, screen: data.screen ? "yes" : "no" } },
      this.video,
      this.absent,
      make("figcaption", { text: caption }),
    );
    this.show(0);
  }

  get hasSound() {
    return this.data.sources.includes("microphone");
  }

  /** @param {number} timeS of the recording */
  isAt(timeS) {
    // The last picture stays: at the very end a film could not be moved to its end and play.
    return timeS >= this.startsS && timeS < this.endsS - 0.02;
  }

  /** Where this film is, in seconds of the recording. */
  get timeS() {
    return this.startsS + this.video.currentTime;
  }

  /** It can show the next pictures now, or has shown its last: nobody waits for that. */
  get isReady() {
    const { video } = this;
    if (video.seeking) return false;
    return video.ended || video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /** @param {number} timeS of the recording */
  moveTo(timeS) {
    const length = this.video.duration || this.data.duration / 1000;
    this._offS = null;
    this.video.currentTime = Math.max(0, Math.min(timeS - this.startsS, length - 0.02));
  }

  /** @param {number} timeS */
  show(timeS) {
    const isThere = this.isAt(timeS);
    this.element.classList.toggle("away", !isThere);
    this.absent.hidden = isThere;
  }

  /**
   * Keeps to the clock, as one of those who follow.
   *
   * @param {number} timeS
   * @param {number} speed
   */
  keepTo(timeS, speed) {
    if (this.video.seeking) return;
    this._offS = smoothed(this._offS, this.timeS - timeS);
    const { move, rate } = follow(this._offS, speed);
    if (move) this.moveTo(timeS);
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }

  forget() {
    this.video.removeAttribute("src");
    this.video.load();
    this.element.classList.add("away");
  }

  /** @param {number} timeS */
  isFarFrom(timeS) {
    return Math.abs(this.timeS - timeS) > FAR_S;
  }
}

/** @param {MediaError | null} error */
function explain(error) {
  if (error?.code === MediaError.MEDIA_ERR_NETWORK) {
    return gettext("The connection was interrupted. Load this page again to go on.");
  }
  if (error?.code === MediaError.MEDIA_ERR_DECODE) {
    return gettext("A part of this recording cannot be shown. The rest is not affected.");
  }
  return gettext(
    "This browser cannot play the recording, or the viewing is over. Recent versions of Chrome, " +
      "Edge and Firefox can play it.",
  );
}
