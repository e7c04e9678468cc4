// @ts-check
/** How long to wait before each attempt to connect again. */

/** The first attempt is made at once: most losses are a moment of Wi-Fi. The last value repeats. */
const DELAYS_MS = [0, 250, 500, 1_000, 2_000, 3_000];

/**
 * Milliseconds before attempt number `attempt` (0 is the first after a loss), spread by ±25 % so
 * that a restarted server isn't met by everyone in the same instant.
 *
 * @param {number} attempt
 * @param {() => number} [random]
 */
export function delayMs(attempt, random = Math.random) {
  const base = DELAYS_MS[Math.min(attempt, DELAYS_MS.length - 1)] ?? 0;
  return Math.round(base * (0.75 + random() / 2));
}
