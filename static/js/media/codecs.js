// @ts-check
/** Which codecs we would rather use, and how many bits they may take. */

/**
 * VP8 first: the one video codec every browser, the media worker and a recording share. We reorder
 * and never remove, because removal leaves rtcp-fb lines that Chromium refuses.
 *
 * @param {RTCRtpTransceiver} transceiver
 */
export function preferVp8(transceiver) {
  const codecs = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const isVp8 = (/** @type {RTCRtpCodec} */ codec) => /^video\/vp8$/i.test(codec.mimeType);
  if (!codecs.some(isVp8) || !("setCodecPreferences" in transceiver)) return;
  transceiver.setCodecPreferences([...codecs.filter(isVp8), ...codecs.filter((c) => !isVp8(c))]);
}

/** A face of this height or less is sent as it is from the start. */
const SMALL_HEIGHT = 480;
/** By now the browser knows what the line carries, and fits the picture to it by itself. */
const OPENING_MS = 4_000;

/** Enough for 720p of a face; more only fills the line that the voice needs. */
const CAMERA_BPS = 1_700_000;
/** Text must stay readable. */
const SCREEN_BPS = 2_500_000;

/**
 * Begins with a picture of half the size, so that it is there sooner. Chromium takes a new line for
 * 300 kbit/s: of a larger picture it drops the first frames one by one and then shows a quarter of
 * the size, which came 0.1 s later and blurred. `tune` lets the picture grow.
 *
 * @param {RTCRtpSender} sender
 */
export async function openSmall(sender) {
  if ((sender.track?.getSettings().height ?? 0) > SMALL_HEIGHT) await scale(sender, 2);
}

/** @param {RTCRtpSender} sender @param {number} downBy */
async function scale(sender, downBy) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  if (encoding === undefined) return;
  encoding.scaleResolutionDownBy = downBy;
  await sender.setParameters(parameters).catch(() => {}); // the connection may have been closed
}

/**
 * The voice first when the line is narrow; then the face moves, and the screen stays sharp.
 *
 * @param {RTCRtpSender} sender
 * @param {"microphone" | "camera" | "screen"} source
 */
export async function tune(sender, source) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  if (encoding === undefined) return; // nothing is negotiated yet
  if (source === "microphone") encoding.priority = "high";
  if (source === "camera") {
    encoding.maxBitrate = CAMERA_BPS;
    setTimeout(() => void scale(sender, 1), OPENING_MS);
  }
  if (source === "screen") encoding.maxBitrate = SCREEN_BPS;
  try {
    await sender.setParameters(parameters);
  } catch {
    // A browser that does not know a field keeps its own defaults.
  }
}
