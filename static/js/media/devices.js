// @ts-check
/** Cameras, microphones and screens: opening them, and why one would not open. */

/** @import {DeviceChoice} from "./choices.js" */
/** @typedef {"blocked" | "missing" | "busy" | "unsupported"} DeviceTrouble */
/** @typedef {{track: MediaStreamTrack | null, trouble: DeviceTrouble | null}} Opened */

/** A face is well seen at 720p; what the line can't carry, the encoder scales down. */
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

/**
 * The chosen device, exactly: Chromium takes an `ideal` one for a hint, and opens the default.
 *
 * @param {string | undefined} id
 * @returns {MediaTrackConstraints}
 */
function voice(id) {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...(id === undefined ? {} : { deviceId: { exact: id } }),
  };
}

/** @param {string | undefined} id @returns {MediaTrackConstraints} */
function picture(id) {
  return { ...PICTURE, ...(id === undefined ? { facingMode: "user" } : { deviceId: { exact: id } }) };
}

/** @param {unknown} error @returns {DeviceTrouble} */
function troubleOf(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "blocked";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  if (name === "TypeError") return "unsupported";
  return "busy";
}

/** @param {MediaStreamConstraints} wish @returns {Promise<MediaStream>} */
async function open(wish) {
  // mediaDevices is missing outside a secure context and in some in-app browsers.
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "TypeError");
  return navigator.mediaDevices.getUserMedia(wish);
}

/**
 * As `open`, but where the chosen device is not there any more, another one serves.
 *
 * @param {(id: string | undefined) => MediaStreamConstraints} wish
 * @param {string | undefined} id
 */
async function openChosen(wish, id) {
  try {
    return await open(wish(id));
  } catch (error) {
    if (id === undefined || troubleOf(error) !== "missing") throw error;
    return open(wish(undefined));
  }
}

/** @param {string} [id] @returns {Promise<Opened>} */
export async function openMicrophone(id) {
  try {
    const stream = await openChosen((chosen) => ({ audio: voice(chosen) }), id);
    return { track: stream.getAudioTracks()[0] ?? null, trouble: null };
  } catch (error) {
    return { track: null, trouble: troubleOf(error) };
  }
}

/** @param {string} [id] @returns {Promise<Opened>} */
export async function openCamera(id) {
  try {
    const stream = await openChosen((chosen) => ({ video: picture(chosen) }), id);
    return { track: stream.getVideoTracks()[0] ?? null, trouble: null };
  } catch (error) {
    return { track: null, trouble: troubleOf(error) };
  }
}

/**
 * Both at once, because that asks the person once. If one of them is the trouble, each is tried alone.
 *
 * @param {DeviceChoice} choice
 * @returns {Promise<{microphone: Opened, camera: Opened}>}
 */
export async function openBoth(choice) {
  try {
    const stream = await open({ audio: voice(choice.microphone), video: picture(choice.camera) });
    return {
      microphone: { track: stream.getAudioTracks()[0] ?? null, trouble: null },
      camera: { track: stream.getVideoTracks()[0] ?? null, trouble: null },
    };
  } catch {
    // One after the other: two prompts at the same time hide each other on phones.
    const microphone = await openMicrophone(choice.microphone);
    const camera = await openCamera(choice.camera);
    return { microphone, camera };
  }
}

export function canShareScreen() {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

/**
 * The screen or window the person picks, or null where they changed their mind.
 *
 * @returns {Promise<MediaStreamTrack | null>}
 */
export async function openScreen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { ideal: 15, max: 30 } },
      audio: false,
    });
    const track = stream.getVideoTracks()[0] ?? null;
    if (track !== null) track.contentHint = "detail";
    return track;
  } catch {
    return null;
  }
}

/** @returns {Promise<Record<"microphone" | "camera" | "speaker", MediaDeviceInfo[]>>} */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const of = (/** @type {MediaDeviceKind} */ kind) =>
    all.filter((device) => device.kind === kind && device.deviceId !== "");
  return { microphone: of("audioinput"), camera: of("videoinput"), speaker: of("audiooutput") };
}

export function canChooseSpeaker() {
  return "setSinkId" in HTMLMediaElement.prototype;
}
