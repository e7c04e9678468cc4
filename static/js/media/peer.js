// @ts-check
/** Browser to browser: one peer connection, whose ends are the two people's browsers. */

import { CHAT_LABEL, listen, say } from "./chat.js";
import { fit, preferVp8, tune } from "./codecs.js";
import { Link } from "./link.js";
import { SOURCES, outgoingStreams } from "./path.js";
import { Prepared } from "./prepared.js";

/** @import {Described, Media, RemoteCandidate} from "../wire/messages.js" */
/** @import {MediaPath, PathEvents, SourceName, TrackOf} from "./path.js" */

/** @implements {MediaPath} */
export class PeerPath {
  #link;
  #media;
  #trackOf;
  #events;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  #other;
  /** Of the side that offers. @type {Prepared | null} */
  #prepared;

  /**
   * @param {Media} media
   * @param {TrackOf} trackOf
   * @param {PathEvents} events
   * @param {Prepared} [prepared]
   */
  constructor(media, trackOf, events, prepared) {
    this.#media = media;
    this.#trackOf = trackOf;
    this.#events = events;
    this.#other = media.peer ?? "";
    this.#prepared = media.offers ? (prepared ?? new Prepared("private")) : null;
    const linkEvents = {
      send: events.send,
      state: (/** @type {RTCPeerConnectionState} */ state) => this.#changed(state),
      track: () => {}, // the receivers are known by their place, see #show
      broken: () => events.state("lost"),
    };
    this.#link = new Link("peer", media, linkEvents, this.#prepared?.pc);
    this.#link.pc.addEventListener("datachannel", ({ channel }) => {
      if (channel.label === CHAT_LABEL) this.#open(channel);
    });
  }

  start() {
    this.#events.state("connecting");
    const prepared = this.#prepared;
    if (prepared === null) return;
    this.#open(prepared.channel);
    void this.#link.offer(() => prepared.fill(this.#trackOf));
  }

  /** @param {Described} message */
  described({ link, description }) {
    if (link !== "peer" || (description.type === "offer") === this.#media.offers) return;
    void this.#link.take(description, () =>
      description.type === "offer" ? this.#prepareAnswer() : this.#show(),
    );
  }

  /** @param {RemoteCandidate} message */
  candidate(message) {
    if (message.link === "peer") this.#link.candidate(message);
  }

  /**
   * @param {SourceName} source
   * @param {MediaStreamTrack | null} track
   */
  async replaceSource(source, track) {
    const transceiver = this.#link.pc.getTransceivers()[SOURCES.indexOf(source)];
    // Before the offer came there is nothing to replace: the answer takes the newest tracks.
    await transceiver?.sender.replaceTrack(track).catch(() => {});
  }

  /** @param {boolean} small */
  fit(small) {
    const camera = this.#link.pc.getTransceivers()[SOURCES.indexOf("camera")];
    if (camera !== undefined) void fit(camera.sender, small);
  }

  /** @param {string} text */
  say(text) {
    return say(this.#channel, text);
  }

  peerConnections() {
    return [this.#link.pc];
  }

  stop() {
    this.#link.close();
  }

  /** @param {RTCDataChannel} channel */
  #open(channel) {
    this.#channel = channel;
    listen(channel, this.#events);
  }

  /** The offer's m-lines are reused in their order, so that both sides agree what each one is. */
  async #prepareAnswer() {
    const transceivers = this.#link.pc.getTransceivers();
    const streams = outgoingStreams();
    const replacing = SOURCES.map(async (source, place) => {
      const transceiver = transceivers[place];
      if (transceiver === undefined) throw new Error("The offer lacks a source");
      transceiver.direction = "sendrecv";
      transceiver.sender.setStreams?.(streams[source]);
      if (source !== "microphone") preferVp8(transceiver);
      await transceiver.sender.replaceTrack(this.#trackOf(source));
      if (source === "camera") await fit(transceiver.sender, true);
    });
    await Promise.all(replacing);
    this.#show();
  }

  #show() {
    const tracks = this.#link.pc.getTransceivers().map(({ receiver }) => receiver.track);
    const [microphone, camera, screen] = tracks;
    if (microphone === undefined || camera === undefined || screen === undefined) return;
    this.#events.remote(this.#other, "camera", new MediaStream([microphone, camera]));
    this.#events.remote(this.#other, "screen", new MediaStream([screen]));
  }

  /** @param {RTCPeerConnectionState} state */
  #changed(state) {
    if (state === "connected") {
      this.#events.state("connected");
      this.#link.pc.getTransceivers().forEach(({ sender }, place) => {
        const source = SOURCES[place];
        if (source !== undefined) void tune(sender, source);
      });
    }
    if (state === "failed") this.#events.state("lost");
  }
}
