// @ts-check
/** Times and connections that tests and benchmarks read; nothing in the page depends on them. */

import { counters } from "../signal/socket.js";

/** More would only be a page that reconnects for hours. */
const MAX_MARKS = 500;

export class Diagnostics {
  /** @type {Mark[]} */
  #marks = [];
  /** @type {number | null} */
  #startedAt = null;
  /** @type {number | null} */
  #firstFrameMs = null;
  /** @type {() => RTCPeerConnection[]} */
  connections = () => [];

  constructor() {
    const self = this;
    window.consilium = Object.freeze({
      peerConnections: () => self.connections(),
      get firstFrameMs() {
        return self.#firstFrameMs;
      },
      get joinStartedAt() {
        return self.#startedAt;
      },
      get timings() {
        return self.#marks.map((mark) => ({ ...mark }));
      },
      get unknownMessages() {
        return counters.unknownMessages;
      },
    });
  }

  /** Somebody pressed the button, or was admitted: the wait that counts begins. @param {string} why */
  begin(why) {
    this.mark(why);
    this.#startedAt = performance.now();
    this.#firstFrameMs = null;
  }

  /** @param {string} name */
  mark(name) {
    if (this.#marks.length < MAX_MARKS) this.#marks.push({ name, at: performance.now() });
  }

  firstFrame() {
    this.mark("firstFrame");
    if (this.#startedAt !== null) this.#firstFrameMs ??= performance.now() - this.#startedAt;
  }
}
