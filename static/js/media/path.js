// @ts-check
/**
 * What both ways of carrying media look like from outside: browser to browser (peer.js) and
 * through the media worker (worker.js).
 */

/** @import {ClientMessage, Described, Media, RemoteCandidate} from "../wire/messages.js" */

/** The order of the m-lines in every offer a browser publishes. */
export const SOURCES = /** @type {const} */ (["microphone", "camera", "screen"]);
/** @typedef {typeof SOURCES[number]} SourceName */
/** What is shown together: a face with its voice, or a screen. @typedef {"camera" | "screen"} Group */
/** @typedef {"connecting" | "connected" | "lost"} PathState */

/**
 * @typedef {object} PathEvents
 * @property {(message: ClientMessage) => void} send
 * @property {(state: PathState) => void} state
 * @property {(participation: string, group: Group, stream: MediaStream | null) => void} remote
 * @property {(from: string | null, text: string) => void} chat `from` is null where only one other exists
 * @property {(open: boolean) => void} chatOpen
 * @property {() => void} chatRefused
 */

/**
 * @typedef {object} MediaPath
 * @property {() => void} start
 * @property {(message: Described) => void} described
 * @property {(message: RemoteCandidate) => void} candidate
 * @property {(source: SourceName, track: MediaStreamTrack | null) => Promise<void>} replaceSource
 * @property {(small: boolean) => void} fit how large the face is sent
 * @property {(text: string) => boolean} say
 * @property {() => RTCPeerConnection[]} peerConnections
 * @property {() => void} stop
 */

/** What a path sends. @typedef {(source: SourceName) => MediaStreamTrack | null} TrackOf */

/**
 * Two streams, so that a receiver keeps voice and face in step and the screen apart.
 *
 * @returns {Record<SourceName, MediaStream>}
 */
export function outgoingStreams() {
  const face = new MediaStream();
  return { microphone: face, camera: face, screen: new MediaStream() };
}

/** @param {SourceName} source */
export function kindOf(source) {
  return source === "microphone" ? "audio" : "video";
}
