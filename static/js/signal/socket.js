// @ts-check
/**
 * One WebSocket: opens, says hello, pings, and reports its end exactly once.
 *
 * It connects as soon as it is made, so that TCP and TLS are done while the ticket is fetched.
 */

import { onBeat } from "./heartbeat.js";

/** @import {ClientMessage, ServerMessage} from "../wire/messages.js" */

const VERSION = 2;

/** A pong later than this means that the network is gone, whatever the socket believes. */
const PONG_MS = 4_000;

/** On a hint that the network changed we ask at once and wait less. */
const PROBE_MS = 1_200;

/** Connecting and hello together; longer is a path that will not come up. */
const OPENING_MS = 8_000;

/** Larger than any message the server may send (MAX_MESSAGE_BYTES). */
const MAX_CHARS = 65_536;

const KNOWN = new Set([
  "admitted",
  "described",
  "error",
  "goodbye",
  "lobby",
  "media",
  "pong",
  "remote_candidate",
  "state",
  "welcome",
]);

/** Messages of kinds this page does not know: a newer server may send them, and they do no harm. */
export const counters = { unknownMessages: 0 };

export class Socket {
  /** @type {WebSocket} */
  #socket;
  /** @type {(message: ServerMessage) => void} */
  #onMessage;
  /** @type {(closeCode: number) => void} */
  #onEnd;
  #ended = false;
  #pings = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pongDue;
  /** Who asked whether the other end is there. @type {(() => void)[]} */
  #asking = [];
  /** @type {(() => void) | null} stops the pings */
  #rest = null;
  #pingedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #opening;

  /**
   * @param {(message: ServerMessage) => void} onMessage everything but pong
   * @param {(closeCode: number) => void} onEnd 1006 where the network failed
   */
  constructor(onMessage, onEnd) {
    this.#onMessage = onMessage;
    this.#onEnd = onEnd;
    const url = new URL("/signal", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    /** @type {Promise<void>} */
    this.opened = new Promise((resolve) => socket.addEventListener("open", () => resolve()));
    socket.addEventListener("message", (event) => this.#receive(event.data));
    socket.addEventListener("close", (event) => this.#end(event.code));
    this.#opening = setTimeout(() => this.#end(1006), OPENING_MS);
  }

  /**
   * @param {string} ticket
   * @param {boolean} keepMedia
   */
  hello(ticket, keepMedia) {
    this.send({ type: "hello", version: VERSION, ticket, keep_media: keepMedia });
  }

  /** @param {ClientMessage} message */
  send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /**
   * Asks whether the other end is still there, and gives up sooner than usual.
   *
   * @returns {Promise<void>} settles with the answer, and never without one
   */
  probe() {
    return new Promise((resolve) => {
      if (this.#rest === null) return;
      this.#asking.push(resolve);
      this.#ping(PROBE_MS);
    });
  }

  /** Closes without reporting an end. */
  close() {
    this.#settle();
    this.#socket.close(1000);
  }

  /** @param {unknown} data */
  #receive(data) {
    if (this.#ended || typeof data !== "string" || data.length > MAX_CHARS) return;
    /** @type {unknown} */
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      counters.unknownMessages += 1;
      return;
    }
    if (
      typeof message !== "object" ||
      message === null ||
      !("type" in message) ||
      !KNOWN.has(String(message.type))
    ) {
      counters.unknownMessages += 1;
      return;
    }
    const known = /** @type {ServerMessage} */ (message);
    if (known.type === "pong") {
      if (known.n !== this.#pings) return;
      clearTimeout(this.#pongDue);
      for (const answered of this.#asking.splice(0)) answered();
      return;
    }
    if (known.type === "welcome") this.#live(known.ping_seconds);
    this.#onMessage(known);
  }

  /** @param {number} pingSeconds */
  #live(pingSeconds) {
    clearTimeout(this.#opening);
    const everyMs = Math.min(Math.max(pingSeconds, 1), 5) * 1_000;
    this.#pingedAt = performance.now();
    this.#rest?.(); // welcomed a second time: from the waiting room into the call
    this.#rest = onBeat(() => {
      // Half a beat early rather than half a beat late.
      if (performance.now() - this.#pingedAt > everyMs - 500) this.#ping(PONG_MS);
    });
  }

  /** @param {number} patienceMs */
  #ping(patienceMs) {
    this.#pings += 1;
    this.#pingedAt = performance.now();
    this.send({ type: "ping", n: this.#pings });
    clearTimeout(this.#pongDue);
    this.#pongDue = setTimeout(() => this.#end(1006), patienceMs);
  }

  #settle() {
    this.#ended = true;
    clearTimeout(this.#pongDue);
    clearTimeout(this.#opening);
    this.#rest?.();
    this.#rest = null;
  }

  /** @param {number} closeCode */
  #end(closeCode) {
    if (this.#ended) return;
    this.#settle();
    this.#socket.close();
    this.#onEnd(closeCode);
  }
}
