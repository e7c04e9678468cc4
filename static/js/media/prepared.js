// @ts-check
/**
 * The half of a call's start that needs no server, done while the person checks their devices or
 * waits: a peer connection with its certificate, its codecs and a place for each source.
 *
 * Nothing leaves the browser by it. Addresses are looked for once a local description is set, and
 * that is done with the relays and the policy of the first `media` message, after admission.
 */

import { CHAT_LABEL } from "./chat.js";
import { fit, preferVp8 } from "./codecs.js";
import { SOURCES, kindOf, outgoingStreams } from "./path.js";

/** @import {Mode} from "../wire/messages.js" */
/** @import {TrackOf} from "./path.js" */

/** One transport for everything; it can't be changed afterwards. */
const BUNDLE = /** @type {const} */ ("max-bundle");

/** The connection of whoever makes the offer: to the other person, or to the media worker. */
export class Prepared {
  pc = new RTCPeerConnection({ bundlePolicy: BUNDLE });
  channel = this.pc.createDataChannel(CHAT_LABEL, { ordered: true });

  /** @param {Mode} mode in `private` the same connection also receives */
  constructor(mode) {
    this.mode = mode;
    const streams = outgoingStreams();
    for (const source of SOURCES) {
      const transceiver = this.pc.addTransceiver(kindOf(source), {
        direction: mode === "private" ? "sendrecv" : "sendonly",
        streams: [streams[source]],
      });
      if (source !== "microphone") preferVp8(transceiver);
    }
    // Only for what it makes the browser do beforehand; the description that counts is made later.
    this.pc.createOffer().catch(() => {});
  }

  /** Puts what is sent now into the places. @param {TrackOf} trackOf */
  async fill(trackOf) {
    const transceivers = this.pc.getTransceivers();
    const filling = SOURCES.map(async (source, place) => {
      const sender = transceivers[place]?.sender;
      await sender?.replaceTrack(trackOf(source));
      if (source === "camera" && sender !== undefined) await fit(sender, true);
    });
    await Promise.all(filling);
  }

  close() {
    this.pc.close();
  }
}

/**
 * @param {Mode} mode
 * @returns {Prepared | null} null where this browser makes no calls
 */
export function prepare(mode) {
  return typeof RTCPeerConnection === "function" ? new Prepared(mode) : null;
}
