// @ts-check
/**
 * Through the media worker: one connection publishes what this browser sends, another one
 * receives what the worker forwards and is renegotiated whenever somebody comes or goes.
 */

import { listen, say } from "./chat.js";
import { fit, tune } from "./codecs.js";
import { Link } from "./link.js";
import { SOURCES } from "./path.js";
import { Prepared } from "./prepared.js";

/** @import {Described, Media, RemoteCandidate} from "../wire/messages.js" */
/** @import {Group, MediaPath, PathEvents, SourceName, TrackOf} from "./path.js" */

/**
 * Whose stream, and which of theirs: the worker names it `<participation id>.<group>`.
 *
 * @param {string} id
 * @returns {{participation: string, group: Group} | null}
 */
export function ownerOf(id) {
  const match = /^([0-9a-f-]{36})\.(camera|screen)$/.exec(id);
  if (match?.[1] === undefined) return null;
  return { participation: match[1], group: match[2] === "screen" ? "screen" : "camera" };
}

/** @implements {MediaPath} */
export class WorkerPath {
  #media;
  #trackOf;
  #events;
  #publish;
  /** @type {Link | null} */
  #subscribe = null;
  /** Candidates that came before the worker's first offer. @type {RemoteCandidate[]} */
  #early = [];
  #prepared;

  /**
   * @param {Media} media
   * @param {TrackOf} trackOf
   * @param {PathEvents} events
   * @param {Prepared} [prepared]
   */
  constructor(media, trackOf, events, prepared = new Prepared("governed")) {
    this.#media = media;
    this.#trackOf = trackOf;
    this.#events = events;
    this.#prepared = prepared;
    this.#publish = this.#link("publish", () => {}, prepared.pc);
  }

  start() {
    this.#events.state("connecting");
    listen(this.#prepared.channel, this.#events);
    void this.#publish.offer(() => this.#prepared.fill(this.#trackOf));
  }

  /** @param {Described} message */
  described({ link, description }) {
    if (link === "publish" && description.type === "answer") void this.#publish.take(description);
    if (link !== "subscribe" || description.type !== "offer") return;
    this.#subscribe ??= this.#link("subscribe", (event) => this.#received(event));
    const early = this.#early;
    this.#early = [];
    for (const candidate of early) this.#subscribe.candidate(candidate);
    void this.#subscribe.take(description);
  }

  /** @param {RemoteCandidate} message */
  candidate(message) {
    if (message.link === "publish") this.#publish.candidate(message);
    else if (message.link === "subscribe") {
      if (this.#subscribe === null) this.#early.push(message);
      else this.#subscribe.candidate(message);
    }
  }

  /**
   * @param {SourceName} source
   * @param {MediaStreamTrack | null} track
   */
  async replaceSource(source, track) {
    const transceiver = this.#publish.pc.getTransceivers()[SOURCES.indexOf(source)];
    await transceiver?.sender.replaceTrack(track).catch(() => {});
  }

  /** @param {boolean} small */
  fit(small) {
    const camera = this.#publish.pc.getTransceivers()[SOURCES.indexOf("camera")];
    if (camera !== undefined) void fit(camera.sender, small);
  }

  /** @param {string} text */
  say(text) {
    return say(this.#prepared.channel, text);
  }

  peerConnections() {
    return [this.#publish.pc, ...(this.#subscribe === null ? [] : [this.#subscribe.pc])];
  }

  stop() {
    this.#publish.close();
    this.#subscribe?.close();
  }

  /**
   * @param {"publish" | "subscribe"} name
   * @param {(event: RTCTrackEvent) => void} track
   * @param {RTCPeerConnection} [pc]
   */
  #link(name, track, pc) {
    const events = {
      send: this.#events.send,
      state: (/** @type {RTCPeerConnectionState} */ state) => this.#changed(state),
      track,
      broken: () => this.#events.state("lost"),
    };
    return new Link(name, this.#media, events, pc);
  }

  /** @param {RTCTrackEvent} event */
  #received({ streams }) {
    const stream = streams[0];
    const owner = stream === undefined ? null : ownerOf(stream.id);
    if (stream === undefined || owner === null) return;
    const { participation, group } = owner;
    stream.onremovetrack = () => {
      if (stream.getTracks().length === 0) this.#events.remote(participation, group, null);
    };
    this.#events.remote(participation, group, stream);
  }

  /** @param {RTCPeerConnectionState} state */
  #changed(state) {
    if (state === "failed") this.#events.state("lost");
    if (state !== "connected") return;
    if (this.peerConnections().some((pc) => pc.connectionState !== "connected")) return;
    this.#events.state("connected");
    this.#publish.pc.getTransceivers().forEach(({ sender }, place) => {
      const source = SOURCES[place];
      if (source !== undefined) void tune(sender, source);
    });
  }
}
