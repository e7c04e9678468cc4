// @ts-check
/**
 * One peer connection of one media attempt, and the descriptions and candidates that belong to it.
 *
 * Descriptions are applied one after the other. Candidates that come before the description wait
 * for it. Nothing is sent or taken after `close`.
 */

import { hideBase, isProtected, isReachable, isRelayed, onlyRelayed } from "./sdp.js";

/** @import {ClientMessage, Description, Link as LinkName, Media, RemoteCandidate} from "../wire/messages.js" */

/**
 * @typedef {object} LinkEvents
 * @property {(message: ClientMessage) => void} send
 * @property {(state: RTCPeerConnectionState) => void} state
 * @property {(event: RTCTrackEvent) => void} track
 * @property {() => void} broken the description can't be used: this attempt will not come up
 */

/** @param {Media} media @returns {RTCConfiguration} */
export function configuration(media) {
  return {
    iceServers: media.ice_servers.map(({ urls, username, credential }) => ({
      urls,
      ...(username === null || username === undefined ? {} : { username }),
      ...(credential === null || credential === undefined ? {} : { credential }),
    })),
    iceTransportPolicy: media.relay_only ? "relay" : "all",
    bundlePolicy: "max-bundle",
  };
}

export class Link {
  #closed = false;
  /** @type {Promise<void>} */
  #work = Promise.resolve();
  /** @type {RTCIceCandidateInit[]} */
  #early = [];

  /**
   * @param {LinkName} name
   * @param {Media} media
   * @param {LinkEvents} events
   * @param {RTCPeerConnection} [prepared] one that has described nothing yet
   */
  constructor(name, media, events, prepared) {
    this.name = name;
    this.epoch = media.epoch;
    this.relayOnly = media.relay_only;
    this.events = events;
    this.pc = prepared ?? new RTCPeerConnection(configuration(media));
    if (prepared !== undefined) prepared.setConfiguration(configuration(media));
    this.pc.addEventListener("icecandidate", (event) => this.#found(event.candidate));
    this.pc.addEventListener("connectionstatechange", () => {
      if (!this.#closed) events.state(this.pc.connectionState);
    });
    this.pc.addEventListener("track", (event) => {
      if (!this.#closed) events.track(event);
    });
  }

  /**
   * Describes this side; `prepare` runs first, in order with everything else on this link.
   *
   * @param {() => Promise<void>} prepare
   */
  offer(prepare) {
    return this.#inOrder(async () => {
      await prepare();
      await this.pc.setLocalDescription();
      this.#describe();
    });
  }

  /**
   * Takes the other side's description; an offer is answered after `prepare`.
   *
   * @param {Description} description
   * @param {() => Promise<void> | void} [prepare]
   */
  take(description, prepare) {
    return this.#inOrder(async () => {
      if (!isProtected(description.sdp)) throw new Error("The description is not DTLS-SRTP");
      await this.pc.setRemoteDescription(description);
      const early = this.#early;
      this.#early = [];
      for (const candidate of early) this.#add(candidate);
      await prepare?.();
      if (description.type === "offer") {
        await this.pc.setLocalDescription();
        this.#describe();
      }
    });
  }

  /** @param {RemoteCandidate} message */
  candidate(message) {
    if (this.#closed || message.candidate === "") return;
    const candidate = {
      candidate: message.candidate,
      sdpMid: message.mid,
      sdpMLineIndex: message.line,
    };
    if (this.pc.remoteDescription === null) this.#early.push(candidate);
    else this.#add(candidate);
  }

  close() {
    this.#closed = true;
    this.pc.close();
  }

  /** @param {RTCIceCandidateInit} candidate */
  #add(candidate) {
    // A candidate that this browser can't use (a protocol, a stale fragment) is no failure.
    this.pc.addIceCandidate(candidate).catch(() => {});
  }

  /** @param {RTCIceCandidate | null} found */
  #found(found) {
    if (this.#closed || found === null || found.candidate === "") return;
    if (!isReachable(found.candidate)) return;
    if (this.relayOnly && !isRelayed(found.candidate)) return;
    this.events.send({
      type: "candidate",
      link: this.name,
      epoch: this.epoch,
      candidate: this.relayOnly ? hideBase(found.candidate) : found.candidate,
      mid: found.sdpMid,
      line: found.sdpMLineIndex,
    });
  }

  #describe() {
    const local = this.pc.localDescription;
    if (local === null || (local.type !== "offer" && local.type !== "answer")) return;
    this.events.send({
      type: "describe",
      link: this.name,
      epoch: this.epoch,
      description: {
        type: local.type,
        sdp: this.relayOnly ? onlyRelayed(local.sdp) : local.sdp,
      },
    });
  }

  /** @param {() => Promise<void>} step */
  #inOrder(step) {
    this.#work = this.#work.then(async () => {
      if (this.#closed) return;
      try {
        await step();
      } catch {
        if (!this.#closed) this.events.broken();
      }
    });
    return this.#work;
  }
}
