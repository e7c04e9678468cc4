// @ts-check
/** The worker of heartbeat.js: see there. */

setInterval(() => postMessage(0), 1_000);
