// @ts-check
/**
 * A beat about once a second that goes on in a background tab.
 *
 * Browsers slow the timers of a hidden page down to one a minute, which would end the socket of
 * somebody who reads another page while they wait. A worker's timers run on, so it beats along;
 * where it may not run, the page's own timer is all there is.
 */

const BEAT_MS = 1_000;

/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;
/** @type {Worker | null} */
let worker = null;

function beat() {
  for (const listener of [...listeners]) listener();
}

/**
 * Calls `listener` on every beat, sometimes twice in a second: it has to look at the clock itself.
 *
 * @param {() => void} listener
 * @returns {() => void} stops it
 */
export function onBeat(listener) {
  listeners.add(listener);
  if (timer === undefined) {
    timer = setInterval(beat, BEAT_MS);
    try {
      worker = new Worker(new URL("./heartbeat-worker.js", import.meta.url));
      worker.onmessage = beat;
    } catch {
      worker = null;
    }
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    worker?.terminate();
    worker = null;
  };
}
