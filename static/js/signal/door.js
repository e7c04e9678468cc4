// @ts-check
/** What a meeting's page may ask of the server outside the socket. */

import { ask } from "./http.js";

/** @import {Goodbye, Mode, Purpose} from "../wire/messages.js" */

/**
 * Where this browser stands on the way into the call.
 *
 * @typedef {object} Me
 * @property {"verify" | "check" | "wait" | "call" | "ended"} stage
 * @property {string} name
 * @property {boolean} host
 * @property {Mode} mode
 * @property {string} organisation
 * @property {string} sent_to the mailbox of a code that is still good, masked; or ""
 * @property {boolean} resume this seat was in the call a moment ago
 * @property {Goodbye["reason"] | ""} reason why it is over, where stage is "ended"
 * @property {boolean} may_return
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
