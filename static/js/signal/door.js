// @ts-check
/** What a meeting's page may ask of the server outside the socket. */

import { ask } from "./http.js";

/** @import {Mode, Purpose} from "../wire/messages.js" */

/**
 * @typedef {object} Me
 * @property {"verify" | "check" | "wait" | "call" | "ended"} stage
 * @property {string} name
 * @property {boolean} host
 * @property {Mode} mode
 * @property {string} organisation
 * @property {string} [sent_to] where the code went, masked
 * @property {boolean} resume this seat was in the call a moment ago
 */

/** @returns {Promise<Me>} */
export async function me() {
  return /** @type {Me} */ (await ask("GET", "me"));
}

/** @returns {Promise<{sent_to: string, expires_seconds: number, resend_after_seconds: number}>} */
export async function sendCode() {
  const answer = await ask("POST", "verification/send", {});
  return /** @type {{sent_to: string, expires_seconds: number, resend_after_seconds: number}} */ (answer);
}

/** @param {string} code six digits */
export async function checkCode(code) {
  await ask("POST", "verification/check", { code });
}

/**
 * A ticket for one socket: good for about a minute, and once.
 *
 * @param {Purpose} purpose
 * @param {boolean} [takeover] end this seat's page elsewhere
 * @returns {Promise<string>}
 */
export async function ticket(purpose, takeover = false) {
  const answer = await ask("POST", "ticket", takeover ? { purpose, takeover } : { purpose });
  return /** @type {{ticket: string}} */ (answer).ticket;
}
