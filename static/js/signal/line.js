// @ts-check
/**
 * The line to the server that heals itself: whenever its socket is lost, a new one is opened with
 * a new ticket, until the server says goodbye or refuses for good.
 */

import { delayMs } from "./backoff.js";
import { isFatal, problemOfClose } from "./codes.js";
import { onBeat } from "./heartbeat.js";
import { Problem, UNREACHABLE } from "./http.js";
import { Socket } from "./socket.js";

/** @import {ClientMessage, Goodbye, Purpose, ServerMessage} from "../wire/messages.js" */
/** @typedef {"connecting" | "open" | "interrupted"} LineStatus */

/**
 * @typedef {object} LineEvents
 * @property {(message: ServerMessage) => void} message
 * @property {(status: LineStatus) => void} status
 * @property {(goodbye: Goodbye) => void} goodbye the seat's time is over; the line is down for good
 * @property {(problem: Problem) => void} refused trying again is no use; the line is down for good
 * @property {() => boolean} keepMedia does the media path live while the socket is down?
 * @property {(name: string) => void} mark
 */

/** A socket that ended sooner than this did not heal anything: the next attempt waits longer. */
const STEADY_MS = 5_000;

/** How long a leaver's socket may stay to say so. */
const LEAVE_MS = 1_500;

export class Line {
  /** @type {Socket | null} */
  #socket = null;
  #welcomed = false;
  #stopped = false;
  #leaving = false;
  #attempt = 0;
  #steadySince = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #retryAt = 0;
  /** @type {(() => void) | null} */
  #rest = null;

  /**
   * @param {Purpose} purpose
   * @param {(purpose: Purpose) => Promise<string>} fetchTicket
   * @param {LineEvents} events
   */
  constructor(purpose, fetchTicket, events) {
    this.purpose = purpose;
    this.fetchTicket = fetchTicket;
    this.events = events;
  }

  start() {
    window.addEventListener("online", this.#networkChanged);
    document.addEventListener("visibilitychange", this.#networkChanged);
    this.#rest = onBeat(() => {
      const overdue = this.#retry !== undefined && performance.now() > this.#retryAt;
      if (overdue) this.#retryNow(); // a hidden page's own timers may sleep
    });
    this.events.status("connecting");
    void this.#connect();
  }

  /**
   * The same socket goes on for another purpose: from the waiting room into the call.
   *
   * @param {Purpose} purpose
   * @param {(purpose: Purpose) => Promise<string>} fetchTicket
   * @param {LineEvents} events
   * @param {string} ticket
   */
  become(purpose, fetchTicket, events, ticket) {
    this.purpose = purpose;
    this.fetchTicket = fetchTicket;
    this.events = events;
    this.#welcomed = false;
    events.status("connecting");
    events.mark("ticket");
    if (this.#socket !== null) this.#socket.hello(ticket, false);
    else void this.probe();
  }

  /**
   * @param {ClientMessage} message
   * @returns {boolean} false where the line is down; nothing is kept for later
   */
  send(message) {
    if (!this.#welcomed || this.#stopped) return false;
    this.#socket?.send(message);
    return true;
  }

  /** Says that this person leaves the call or the waiting room, then hangs up. */
  leave() {
    const said = this.send({ type: "leave" });
    this.#leaving = true;
    if (said) setTimeout(() => this.stop(), LEAVE_MS);
    else this.stop();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#rest?.();
    window.removeEventListener("online", this.#networkChanged);
    document.removeEventListener("visibilitychange", this.#networkChanged);
    this.#socket?.close();
    this.#socket = null;
  }

  /**
   * The network may have changed: ask the socket, or stop waiting for the next attempt.
   *
   * @returns {Promise<void>} settles when the server has answered, and never if it does not
   */
  probe() {
    if (this.#socket !== null && this.#retry === undefined) return this.#socket.probe();
    if (!this.#stopped) this.#retryNow();
    return new Promise(() => {});
  }

  #retryNow() {
    clearTimeout(this.#retry);
    void this.#connect();
  }

  #networkChanged = () => {
    if (document.visibilityState === "visible") void this.probe();
  };

  async #connect() {
    this.#retry = undefined;
    this.#welcomed = false;
    const socket = new Socket(
      (message) => this.#receive(socket, message),
      (closeCode) => this.#ended(socket, closeCode),
    );
    this.#socket = socket;
    try {
      const ticket = await this.fetchTicket(this.purpose);
      this.events.mark("ticket");
      await socket.opened;
      if (this.#socket !== socket) return;
      this.events.mark("socket");
      socket.hello(ticket, this.events.keepMedia());
    } catch (error) {
      if (this.#socket !== socket) return;
      socket.close();
      this.#lost(error instanceof Problem ? error : new Problem(UNREACHABLE));
    }
  }

  /**
   * @param {Socket} socket
   * @param {ServerMessage} message
   */
  #receive(socket, message) {
    if (this.#socket !== socket || this.#stopped) return;
    if (message.type === "welcome") {
      this.#welcomed = true;
      this.#steadySince = performance.now();
      this.events.mark("welcome");
      this.events.status("open");
    }
    if (message.type === "goodbye") {
      this.stop();
      if (!this.#leaving) this.events.goodbye(message);
      return;
    }
    if (!this.#leaving) this.events.message(message);
  }

  /**
   * @param {Socket} socket
   * @param {number} closeCode
   */
  #ended(socket, closeCode) {
    if (this.#socket !== socket || this.#stopped) return;
    if (this.#leaving) this.stop();
    else this.#lost(new Problem(problemOfClose(closeCode) ?? UNREACHABLE));
  }

  /** @param {Problem} problem */
  #lost(problem) {
    if (this.#stopped) return;
    if (isFatal(problem.code)) {
      this.stop();
      this.events.refused(problem);
      return;
    }
    const steady = this.#welcomed && performance.now() - this.#steadySince > STEADY_MS;
    if (steady) this.#attempt = 0;
    this.#welcomed = false;
    this.#socket = null;
    this.events.status("interrupted");
    const impatient = problem.code === "too_many_attempts" ? 3 : 0;
    const delay = delayMs(this.#attempt + impatient);
    this.#retryAt = performance.now() + delay;
    this.#retry = setTimeout(() => this.#retryNow(), delay);
    this.#attempt += 1;
  }
}
