// @ts-check
/**
 * All films of a recording, played together by one set of controls.
 *
 * Films begin and end when their people came and went. Whoever is not there at a moment waits;
 * whoever is there and cannot go on holds everybody up, so that nobody answers before the question.
 */

import { Clock } from "./player-clock.js";
import { Film } from "./player-film.js";

/** @typedef {import("./player-film.js").FilmData} FilmData */

/** Often enough to keep films within a picture of each other, seldom enough to cost nothing. */
const LOOK_EVERY_MS = 100;

export class Player extends EventTarget {
  /** @param {FilmData[]} films @param {number} lengthMs */
  constructor(films, lengthMs) {
    super();
    this.clock = new Clock(lengthMs / 1000);
    this.films = films.map((data) => new Film(data, (why) => this._fail(why)));
    this.wants = false;
    /** @type {string} */
    this.state = "loading";
    /** Before the first picture there is nothing to show. */
    this.beginsS = Math.min(...this.films.map((film) => film.startsS));
    this.clock.set(this.beginsS);
    for (const film of this.films) {
      for (const news of ["canplay", "seeked", "waiting", "loadedmetadata"]) {
        film.video.addEventListener(news, () => this._look());
      }
    }
    setInterval(() => this._look(), LOOK_EVERY_MS);
  }

  get time() {
    return this.clock.time;
  }

  play() {
    if (this.clock.time >= this.clock.lengthS - 0.05) this.seek(this.beginsS);
    this.wants = true;
    this._look();
  }

  pause() {
    this.wants = false;
    this._look();
  }

  /** @param {number} timeS of the recording */
  seek(timeS) {
    this.clock.run(false);
    this.clock.set(timeS);
    for (const film of this.films) {
      film.video.pause();
      if (film.isAt(this.clock.time)) film.moveTo(this.clock.time);
    }
    this._look();
  }

  /** @param {number} speed */
  hurry(speed) {
    this.clock.hurry(speed);
    this._look();
  }

  /** Who is there at the clock's moment. */
  get present() {
    const now = this.clock.time;
    return this.films.filter((film) => film.isAt(now));
  }

  /** Whom the others follow: a voice, because bending a voice is heard. */
  get leader() {
    const present = this.present.filter((film) => !film.video.ended);
    return present.find((film) => film.hasSound) ?? present[0];
  }

  _look() {
    if (this.state === "failed") return;
    const now = this.clock.time;
    const present = this.present;
    for (const film of this.films) film.show(now);
    for (const film of this.films) {
      if (!present.includes(film) && !film.video.paused) film.video.pause();
    }
    if (this.wants && now >= this.clock.lengthS) this.wants = false;
    // A film that begins now stands at its beginning; one that was left elsewhere is moved.
    for (const film of present) {
      if (!film.video.seeking && film.video.readyState > 0 && film.isFarFrom(now)) {
        film.moveTo(now);
      }
    }
    const ready = present.every((film) => film.isReady);
    const goes = this.wants && ready;
    if (goes !== this.clock.runs) this.clock.run(goes);
    this._follow(present, goes);
    this._say(!this.wants ? (ready ? "paused" : "loading") : ready ? "playing" : "waiting");
  }

  /** @param {Film[]} present @param {boolean} goes */
  _follow(present, goes) {
    const { speed } = this.clock;
    const leader = this.leader;
    if (goes && leader && !leader.video.paused && !leader.video.seeking) {
      this.clock.set(leader.timeS);
    }
    for (const film of present) {
      if (!goes) {
        if (!film.video.paused) film.video.pause();
        continue;
      }
      if (film === leader) {
        if (film.video.playbackRate !== speed) film.video.playbackRate = speed;
      } else {
        film.keepTo(this.clock.time, speed);
      }
      // A film that has ended would begin anew.
      if (film.video.paused && !film.video.ended) film.video.play().catch((why) => this._refused(why));
    }
  }

  /** A browser that was not touched yet may refuse to make a sound. @param {unknown} why */
  _refused(why) {
    if (why instanceof DOMException && why.name === "AbortError") return; // paused meanwhile
    this.wants = false;
    this.clock.run(false);
  }

  /** @param {string} state */
  _say(state) {
    if (state !== this.state) {
      this.state = state;
      this.dispatchEvent(new Event("state"));
    }
    this.dispatchEvent(new Event("time"));
  }

  /** Nothing of it is shown any more, also not what the browser has already. @param {string} why */
  end(why) {
    this._fail(why);
    for (const film of this.films) film.forget();
  }

  /** @param {string} why */
  _fail(why) {
    if (this.state === "failed") return;
    this.wants = false;
    this.clock.run(false);
    for (const film of this.films) film.video.pause();
    this.state = "failed";
    this.dispatchEvent(new CustomEvent("failed", { detail: why }));
  }
}
