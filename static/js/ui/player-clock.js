// @ts-check
/**
 * The one clock of the player, and how films are kept to it. Pure: no element is touched here.
 *
 * The clock shows seconds of the recording. It is led by one film, whose sound is never bent; the
 * others follow. Where no film leads, the clock runs by itself.
 */

/** Followers are left alone within this: a browser's own estimate of the time is no finer. */
export const CLOSE_S = 0.008;

/** Further off than this, a film is moved and not hurried: it would take seconds to catch up. */
export const FAR_S = 0.3;

/** How much faster or slower a film may run to catch up; more can be heard. */
const BEND_MOST = 0.1;

/** Half a second is how long it takes to catch up. */
const BEND_A_SECOND = 2;

/** How much of the newest look counts: one look alone is off by the browser's own unrest. */
const NEWEST = 0.4;

export class Clock {
  /** @param {number} lengthS @param {() => number} [nowMs] */
  constructor(lengthS, nowMs = () => performance.now()) {
    this.lengthS = lengthS;
    this.speed = 1;
    this.runs = false;
    this._nowMs = nowMs;
    this._atS = 0;
    this._sinceMs = nowMs();
  }

  /** Seconds of the recording. */
  get time() {
    const passed = this.runs ? ((this._nowMs() - this._sinceMs) / 1000) * this.speed : 0;
    return Math.min(this.lengthS, this._atS + passed);
  }

  /** @param {number} seconds */
  set(seconds) {
    this._atS = Math.max(0, Math.min(this.lengthS, seconds));
    this._sinceMs = this._nowMs();
  }

  /** @param {boolean} runs */
  run(runs) {
    this.set(this.time);
    this.runs = runs;
  }

  /** @param {number} speed */
  hurry(speed) {
    this.set(this.time);
    this.speed = speed;
  }
}

/**
 * How far off a follower is, over its last looks. A large step is believed at once.
 *
 * @param {number | null} before
 * @param {number} nowS
 */
export function smoothed(before, nowS) {
  if (before === null || Math.abs(nowS - before) > FAR_S) return nowS;
  return before + NEWEST * (nowS - before);
}

/**
 * What to do with a follower that is `offS` seconds ahead (negative: behind).
 *
 * @param {number} offS
 * @param {number} speed
 * @returns {{move: boolean, rate: number}}
 */
export function follow(offS, speed) {
  if (Math.abs(offS) > FAR_S) return { move: true, rate: speed };
  if (Math.abs(offS) < CLOSE_S) return { move: false, rate: speed };
  const bend = Math.max(-BEND_MOST, Math.min(BEND_MOST, -offS * BEND_A_SECOND));
  return { move: false, rate: speed * (1 + bend) };
}
