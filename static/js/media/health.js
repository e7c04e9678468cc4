// @ts-check
/**
 * Notices that a media path is lost, sooner than the browser would say `failed`.
 *
 * Signs: `failed`; `disconnected` for longer than a hiccup; nothing received although the other
 * side says that it sends; or a path that does not come up.
 */

/** Wi-Fi roaming recovers by itself within about a second. */
const DISCONNECTED_MS = 1_500;
/** A muted microphone still sends packets of silence, so this long without any is a dead path. */
const SILENT_MS = 4_000;
/** After a hint that the network changed we do not wait that long. */
const SILENT_AFTER_HINT_MS = 1_200;
/** Gathering, relay and DTLS over a slow phone line take up to about 4 s. */
const CONNECTING_MS = 10_000;
const LOOK_EVERY_MS = 500;

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
  #lost;
  /** @type {ReturnType<typeof setInterval>} */
  #timer;
  #since = performance.now();
  /** @type {number | null} */
  #disconnectedAt = null;
  #connectedOnce = false;
  #packets = -1;
  #movedAt = performance.now();
  #silentMs = SILENT_MS;

  /**
   * @param {() => RTCPeerConnection[]} connections
   * @param {() => boolean} expected does somebody connected say that they send?
   * @param {() => void} lost called once
   */
  constructor(connections, expected, lost) {
    this.#connections = connections;
    this.#expected = expected;
    this.#lost = lost;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** The network may have changed under us. */
  hint() {
    this.#silentMs = SILENT_AFTER_HINT_MS;
    setTimeout(() => {
      this.#silentMs = SILENT_MS;
    }, 3_000);
  }

  stop() {
    clearInterval(this.#timer);
  }

  async #look() {
    const connections = this.#connections();
    const states = connections.map((pc) => pc.connectionState);
    const now = performance.now();
    if (states.includes("failed")) return this.#report();
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
    if (packets !== this.#packets || !this.#expected()) this.#movedAt = performance.now();
    this.#packets = packets;
    if (performance.now() - this.#movedAt > this.#silentMs) this.#report();
  }

  #report() {
    this.stop();
    this.#lost();
  }
}
