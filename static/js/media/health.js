// @ts-check
/**
 * Notices that a media path is lost, sooner than the browser would say `failed`.
 *
 * Signs: `failed`; `disconnected` for longer than a hiccup; a path that does not come up; or a
 * connection that falls silent although the network is there, because the server has answered a
 * question that was asked after the silence began. Without that answer it is the network that is
 * down, and the line to the server brings a new path with it when it comes back.
 */

/** Wi-Fi roaming recovers by itself within about a second. */
const DISCONNECTED_MS = 1_500;
/** Silence of this length is worth asking the server whether the network is there at all. */
const DOUBTFUL_MS = 900;
/**
 * And of this length, with the server's answer, a path is dead: reports come about once a second even
 * while nobody sends. Silence and a new connection together stay below the 3 s that are promised.
 */
const DEAD_MS = 1_650;
/** Right after the network is said to have changed both are shorter. */
const DOUBTFUL_AFTER_HINT_MS = 500;
const DEAD_AFTER_HINT_MS = 950;
const HINT_LASTS_MS = 3_000;
/** So long after the server's answer something may still come: a network that was away is back. */
const ANSWERED_MS = 450;
const ASK_AGAIN_MS = 1_200;
/** Gathering, relay and DTLS over a slow phone line take up to about 4 s. */
const CONNECTING_MS = 10_000;
const LOOK_EVERY_MS = 250;
/** In a silence every moment counts. */
const LOOK_IN_SILENCE_EVERY_MS = 100;

/**
 * What comes in on one connection. The two ends report to each other about every second, also while
 * somebody is muted, and on a connection that only sends. Who has no device at all hears nothing on
 * it: only a connection that has brought something for a while must go on.
 */
class Hearing {
  static STEADY_MS = 2_000;
  /** Longer than two reports are apart. */
  static PAUSE_MS = 1_200;
  #bytes = -1;
  #since = 0;
  #movedAt = 0;

  /** @param {number} bytes received so far @param {number} now */
  take(bytes, now) {
    if (bytes === this.#bytes) return;
    if (this.#bytes < 0 || now - this.#movedAt > Hearing.PAUSE_MS) this.#since = now;
    this.#bytes = bytes;
    this.#movedAt = now;
  }

  /** @param {number} now @returns {number} how long nothing has come; 0 where nothing has to */
  silentMs(now) {
    return this.#movedAt - this.#since < Hearing.STEADY_MS ? 0 : now - this.#movedAt;
  }
}

/** @param {RTCPeerConnection} connection @returns {Promise<number>} bytes of media and reports */
async function bytesReceived(connection) {
  let bytes = 0;
  (await connection.getStats()).forEach((entry) => {
    if (entry.type === "candidate-pair") bytes += entry.bytesReceived ?? 0;
  });
  return bytes;
}

export class Health {
  #connections;
  #events;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #since = performance.now();
  /** @type {number | null} */
  #disconnectedAt = null;
  #connectedOnce = false;
  /** @type {WeakMap<RTCPeerConnection, Hearing>} */
  #hearing = new WeakMap();
  #silentMs = 0;
  #hintedAt = -Infinity;
  /** When the server was asked last in this silence. @type {number | null} */
  #askedAt = null;
  /** @type {number | null} */
  #answeredAt = null;
  #stopped = false;

  /**
   * @param {() => RTCPeerConnection[]} connections
   * @param {{doubtful: () => Promise<void>, lost: () => void}} events doubtful: asks the server, and
   *   settles when it has answered; lost: once
   */
  constructor(connections, events) {
    this.#connections = connections;
    this.#events = events;
    this.#lookLater();
  }

  /** The network may have changed under us. */
  hint() {
    this.#hintedAt = performance.now();
  }

  /** Whether something came in lately, or nothing was to be expected. */
  get isLively() {
    return this.#silentMs < Hearing.PAUSE_MS;
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #lookLater() {
    if (this.#stopped) return;
    const every = this.#silentMs < DOUBTFUL_AFTER_HINT_MS ? LOOK_EVERY_MS : LOOK_IN_SILENCE_EVERY_MS;
    this.#timer = setTimeout(() => void this.#look(), every);
  }

  async #look() {
    const connections = this.#connections();
    if (this.#isLost(connections.map((pc) => pc.connectionState))) return this.#report();
    if (this.#connectedOnce) await this.#listen(connections).catch(() => {});
    this.#lookLater();
  }

  /** @param {RTCPeerConnectionState[]} states @returns {boolean} whether the browser itself says so */
  #isLost(states) {
    const now = performance.now();
    if (states.includes("failed") || states.includes("closed")) return true;
    if (states.every((state) => state === "connected")) this.#connectedOnce = true;
    if (!this.#connectedOnce) return now - this.#since > CONNECTING_MS;
    this.#disconnectedAt = states.includes("disconnected") ? (this.#disconnectedAt ?? now) : null;
    return this.#disconnectedAt !== null && now - this.#disconnectedAt > DISCONNECTED_MS;
  }

  /** @param {RTCPeerConnection[]} connections */
  async #listen(connections) {
    const received = await Promise.all(connections.map(bytesReceived));
    const now = performance.now();
    const silences = connections.map((pc, place) => {
      const hearing = this.#hearing.get(pc) ?? new Hearing();
      this.#hearing.set(pc, hearing);
      hearing.take(received[place] ?? 0, now);
      return hearing.silentMs(now);
    });
    this.#silentMs = Math.max(...silences);
    const hinted = now - this.#hintedAt < HINT_LASTS_MS;
    if (this.#silentMs < (hinted ? DOUBTFUL_AFTER_HINT_MS : DOUBTFUL_MS)) {
      this.#askedAt = this.#answeredAt = null;
    } else if (this.#answeredAt !== null) {
      const dead = this.#silentMs > (hinted ? DEAD_AFTER_HINT_MS : DEAD_MS);
      if (dead && now - this.#answeredAt > ANSWERED_MS) this.#report();
    } else if (this.#askedAt === null || now - this.#askedAt > ASK_AGAIN_MS) this.#ask(now);
  }

  /** @param {number} now */
  #ask(now) {
    this.#askedAt = now;
    void this.#events.doubtful().then(() => {
      if (this.#askedAt === now) this.#answeredAt ??= performance.now();
    });
  }

  #report() {
    if (this.#stopped) return;
    this.stop();
    this.#events.lost();
  }
}
