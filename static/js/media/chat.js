// @ts-check
/** Chat over the call's own data channel: encrypted like the picture and sound, kept nowhere. */

/** Largest message in bytes of UTF-8; the media worker refuses more. */
export const MAX_CHAT_BYTES = 4_096;

/** Label of the channel in both media paths. */
export const CHAT_LABEL = "chat";

/**
 * @param {string} text
 * @returns {string | null} null where the text is empty or too long
 */
export function chatMessage(text) {
  const message = JSON.stringify({ text });
  if (text.trim() === "" || new TextEncoder().encode(message).length > MAX_CHAT_BYTES) return null;
  return message;
}

/**
 * @typedef {object} ChatEvents
 * @property {(from: string | null, text: string) => void} chat
 * @property {(open: boolean) => void} chatOpen
 * @property {() => void} chatRefused the media worker did not pass something on
 */

/**
 * Listens to `channel`. What is not a chat message is dropped.
 *
 * @param {RTCDataChannel} channel
 * @param {ChatEvents} events
 */
export function listen(channel, events) {
  channel.addEventListener("open", () => events.chatOpen(true));
  channel.addEventListener("close", () => events.chatOpen(false));
  channel.addEventListener("message", (event) => {
    if (typeof event.data !== "string" || event.data.length > 2 * MAX_CHAT_BYTES) return;
    /** @type {unknown} */
    let message;
    try {
      message = JSON.parse(event.data);
    } catch {
      return;
    }
    if (typeof message !== "object" || message === null) return;
    if ("error" in message) events.chatRefused();
    if (!("text" in message) || typeof message.text !== "string") return;
    const from = "from" in message && typeof message.from === "string" ? message.from : null;
    events.chat(from, message.text);
  });
}

/**
 * @param {RTCDataChannel | null} channel
 * @param {string} text
 * @returns {boolean} whether it was handed to the channel
 */
export function say(channel, text) {
  const message = chatMessage(text);
  if (message === null || channel === null || channel.readyState !== "open") return false;
  try {
    channel.send(message);
    return true;
  } catch {
    return false;
  }
}
