// @ts-check
/**
 * Notices that a media path is lost, sooner than the browser would say `failed`.
 *
 * Signs: `failed`; `disconnected` for longer than a hiccup; nothing received although the other
 * side says that it sends; or a path that does not come up.
 */

/** Wi-Fi roaming recovers by itself within about a second. */
const DISCONNECTED_MS = 1_500;
/**
 * A muted microphone still sends packets of silence, 50 a second, so this long without any is a
 * dead path. Together with a new connection it stays below the 3 s that a change of network may take.
 */
const SILENT_MS = 2_500;
/** This long without any is worth asking whether the network is there at all. */
const DOUBTFUL_MS = 1_200;
/** Gathering, relay and DTLS over a slow phone line take up to about 4 s. */
const CONNECTING_MS = 10_000;
const LOOK_EVERY_MS = 400;

/** @param {RTCPeerConnection[]} connections @returns {Promise<number>} packets received in all */
async function packetsReceived(connections) {
  const reports = await Promise.all(connections.map((pc) => pc.getStats()));
  let packets = 0;
  for (const report of reports) {
    report.forEach((entry) => {
      if (entry.type === "inbound-rtp") packets += entry.packetsReceived ?? 0;
    });
  }
  return packets;
}

export class Health {
  #connections;
  #expected;
  #events;
  /** @type {ReturnType<typeof setInterval>} */
  #timer;
  #since = performance.now();
  /** @type {number | null} */
  #disconnectedAt = null;
  #connectedOnce = false;
  #packets = -1;
  #movedAt = performance.now();
  #patienceMs = SILENT_MS;
  #doubted = false;
  #stopped = false;

  /**
   * @param {() => RTCPeerConnection[]} connections
   * @param {() => boolean} expected does somebody connected say that they send?
   * @param {{doubtful: () => void, lost: () => void}} events doubtful: once per silence; lost: once
   */
  constructor(connections, expected, events) {
    this.#connections = connections;
    this.#expected = expected;
    this.#events = events;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** The network may have changed under us. */
  hint() {
    this.#patienceMs = DOUBTFUL_MS;
    setTimeout(() => {
      this.#patienceMs = SILENT_MS;
    }, 3_000);
  }

  /** Whether something came in lately, or nothing was to be expected. */
  get isLively() {
    return performance.now() - this.#movedAt < DOUBTFUL_MS;
  }

  stop() {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async #look() {
    const connections = this.#connections();
    const states = connections.map((pc) => pc.connectionState);
    const now = performance.now();
    if (states.includes("failed") || states.includes("closed")) return this.#report();
    if (states.includes("disconnected")) {
      this.#disconnectedAt ??= now;
      if (now - this.#disconnectedAt > DISCONNECTED_MS) return this.#report();
    } else this.#disconnectedAt = null;

    const connected = states.every((state) => state === "connected");
    if (connected && !this.#connectedOnce) {
      this.#connectedOnce = true;
      this.#movedAt = now;
    }
    if (!this.#connectedOnce) {
      if (now - this.#since > CONNECTING_MS) this.#report();
      return;
    }
    const packets = await packetsReceived(connections);
    if (packets !== this.#packets || !this.#expected()) {
      this.#movedAt = performance.now();
      this.#doubted = false;
    }
    this.#packets = packets;
    const silentMs = performance.now() - this.#movedAt;
    if (silentMs > this.#patienceMs) return this.#report();
    if (silentMs > DOUBTFUL_MS && !this.#doubted) {
      this.#doubted = true;
      this.#events.doubtful();
    }
  }

  #report() {
    if (this.#stopped) return;
    this.stop();
    this.#events.lost();
  }
}
