// @ts-check
/**
 * The media of one call, across its attempts: opens the path that each `media` message asks for,
 * watches it, asks for a new one when it is lost, and tells everyone what this person sends.
 */

import { Health } from "./health.js";
import { PeerPath } from "./peer.js";
import { WorkerPath } from "./worker.js";

/** @import {ClientMessage, Described, Media, Mode, RemoteCandidate} from "../wire/messages.js" */
/** @import {Group, MediaPath, SourceName} from "./path.js" */
/** @import {Prepared} from "./prepared.js" */
/** @import {Sources} from "./sources.js" */
/** @typedef {"alone" | "unserved" | "connecting" | "connected" | "reconnecting"} MediaStatus unserved: no media server */

/**
 * @typedef {object} SessionEvents
 * @property {(message: ClientMessage) => boolean} send
 * @property {(status: MediaStatus) => void} status
 * @property {(participation: string, group: Group, stream: MediaStream | null) => void} remote
 * @property {(from: string | null, text: string) => void} chat
 * @property {(open: boolean) => void} chatOpen
 * @property {() => void} chatRefused
 * @property {() => boolean} othersHere is somebody there to connect to?
 * @property {() => Promise<void>} doubtful nothing comes in: settles when the server has answered
 * @property {(name: string) => void} mark
 */

/** By now the browser knows what the line carries, and fits a larger picture to it by itself. */
const OPENING_MS = 4_000;
/** With more than these in the call a face is a tile, and each has three of them to decode. */
const LARGE_FACES = 2;

/** One description and all its candidates, generously. */
const MAX_EARLY = 64;

export class MediaSession {
  #sources;
  #events;
  /** @type {MediaPath | null} */
  #path = null;
  /** @type {Health | null} */
  #health = null;
  /** @type {Media | null} */
  #media = null;
  #fresh = false;
  /** Since the last welcome; what this side sends is told after its description, which is urgent. */
  #untold = false;
  #connected = false;
  #everConnected = false;
  #lost = false;
  #asked = false;
  /** @type {(Described | RemoteCandidate)[]} */
  #early = [];
  #unlisten;
  #prepared;
  /** @type {ReturnType<typeof setTimeout> | undefined} until the picture may grow */
  #opening;
  #opened = false;
  #people = 0;

  /**
   * @param {Sources} sources
   * @param {Prepared | null} prepared
   * @param {SessionEvents} events
   */
  constructor(sources, prepared, events) {
    this.#prepared = prepared;
    this.#sources = sources;
    this.#events = events;
    this.#unlisten = sources.onChange((source, track) => this.#changed(source, track));
    window.addEventListener("online", this.#hint);
    connectionOf()?.addEventListener("change", this.#hint);
  }

  /** Whether the path carries media now, so that a new socket need not open another. */
  isAlive() {
    return this.#connected && !this.#lost && this.#health?.isLively === true;
  }

  /** A new socket was welcomed: the next `media` counts, whatever its number. */
  welcomed() {
    this.#fresh = true;
    this.#asked = false; // what the old socket was asked may never have arrived
    this.#untold = true;
    this.retry();
  }

  /**
   * @param {Media} media
   * @param {Mode} mode the mode this person was told
   * @returns {boolean} false where the path is not the one this mode promises
   */
  open(media, mode) {
    if (media.path !== (mode === "private" ? "peer" : "worker")) return false;
    this.#follow(media, mode);
    if (this.#path === null || !media.offers) this.#tellIfUntold();
    return true;
  }

  /**
   * @param {Media} media
   * @param {Mode} mode
   */
  #follow(media, mode) {
    const current = this.#media;
    if (current !== null && media.epoch === current.epoch && media.ready === current.ready) {
      this.#tellIfUntold(); // another socket, and the same path
      return;
    }
    if (current !== null && media.epoch < current.epoch && !this.#fresh) return;
    this.#fresh = false;
    this.#media = media;
    this.#close();
    if (!media.ready) {
      this.#events.status(media.path === "worker" ? "unserved" : "alone");
      return;
    }
    this.#events.mark("media");
    this.#path = this.#makePath(media, mode);
    this.#path.start();
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.heard(message);
    this.#health = new Health(() => this.peerConnections(), {
      doubtful: this.#events.doubtful,
      lost: () => this.#pathLost(media.epoch),
    });
  }

  /**
   * What the other side says about its end. It may come before our own `media` of that epoch,
   * because the two travel on different ways; then it waits.
   *
   * @param {Described | RemoteCandidate} message
   */
  heard(message) {
    const epoch = this.#media?.epoch ?? -1;
    if (message.epoch > epoch && this.#early.length < MAX_EARLY) this.#early.push(message);
    if (message.epoch !== epoch) return;
    if (message.type === "described") this.#path?.described(message);
    else this.#path?.candidate(message);
  }

  /** How many are in the call, this person too. @param {number} count */
  people(count) {
    this.#people = count;
    this.#fit();
  }

  /** Asks for a new attempt if the path is lost, nobody asked yet and it makes sense. */
  retry() {
    if (!this.#lost || this.#asked || this.#media === null || !this.#events.othersHere()) return;
    this.#asked = this.#events.send({ type: "restart_media", epoch: this.#media.epoch });
  }

  /** @param {string} text */
  say(text) {
    return this.#path?.say(text) ?? false;
  }

  /** @returns {RTCPeerConnection[]} */
  peerConnections() {
    return this.#path?.peerConnections() ?? [];
  }

  stop() {
    this.#close();
    this.#prepared?.close();
    this.#media = null;
    this.#unlisten();
    window.removeEventListener("online", this.#hint);
    connectionOf()?.removeEventListener("change", this.#hint);
  }

  #hint = () => this.#health?.hint();

  /** @param {Media} media @param {Mode} mode @returns {MediaPath} */
  #makePath(media, mode) {
    const { epoch } = media;
    const isCurrent = () => this.#media?.epoch === epoch;
    const Path = media.path === "peer" ? PeerPath : WorkerPath;
    const prepared = media.offers ? this.#takePrepared(mode) : undefined;
    return new Path(media, (source) => this.#sources.track(source), {
      send: (message) => {
        this.#events.send(message);
        if (message.type === "describe") this.#tellIfUntold();
      },
      state: (state) => {
        if (!isCurrent()) return;
        if (state === "lost") this.#pathLost(epoch);
        else this.#set(state === "connected");
      },
      remote: (participation, group, stream) => {
        if (isCurrent()) this.#events.remote(participation, group, stream);
      },
      chat: (from, text) => {
        if (isCurrent()) this.#events.chat(from, text);
      },
      chatOpen: (open) => {
        if (isCurrent()) this.#events.chatOpen(open);
      },
      chatRefused: () => this.#events.chatRefused(),
    }, prepared);
  }

  /** What was prepared serves one attempt, in the mode it was made for. @param {Mode} mode */
  #takePrepared(mode) {
    const prepared = this.#prepared;
    this.#prepared = null;
    if (prepared?.mode === mode) return prepared;
    prepared?.close();
    return undefined;
  }

  #fit() {
    this.#path?.fit(!this.#opened || this.#people > LARGE_FACES);
  }

  #close() {
    clearTimeout(this.#opening);
    this.#opening = undefined;
    this.#opened = false;
    this.#health?.stop();
    this.#path?.stop();
    if (this.#path !== null) this.#events.chatOpen(false);
    this.#health = null;
    this.#path = null;
    this.#connected = false;
    this.#lost = false;
    this.#asked = false;
  }

  /** @param {boolean} connected */
  #set(connected) {
    this.#connected = connected;
    if (connected) {
      this.#everConnected = true;
      this.#opening ??= setTimeout(() => {
        this.#opened = true;
        this.#fit();
      }, OPENING_MS);
      this.#lost = false;
      this.#events.mark("connected");
      this.#events.status("connected");
    } else this.#events.status(this.#everConnected ? "reconnecting" : "connecting");
  }

  /** @param {number} epoch */
  #pathLost(epoch) {
    if (this.#media?.epoch !== epoch || this.#lost) return;
    this.#lost = true;
    this.#connected = false;
    this.#events.chatOpen(false);
    this.#events.status(this.#everConnected ? "reconnecting" : "connecting");
    this.retry();
  }

  /**
   * @param {SourceName} source
   * @param {MediaStreamTrack | null} track
   */
  #changed(source, track) {
    // Another camera may be of another size.
    void this.#path?.replaceSource(source, track).then(() => this.#fit());
    this.#tellSources();
  }

  #tellIfUntold() {
    if (this.#untold) this.#tellSources();
  }

  #tellSources() {
    this.#untold = false;
    this.#events.send({
      type: "sources",
      microphone: this.#sources.isOn("microphone"),
      camera: this.#sources.isOn("camera"),
      screen: this.#sources.isOn("screen"),
    });
  }
}

/** Chromium's word that Wi-Fi became cellular; other browsers only say `online`. */
function connectionOf() {
  return "connection" in navigator && navigator.connection instanceof EventTarget
    ? navigator.connection
    : null;
}
