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

/** Enough for 720p of a face; more only fills the line that the voice needs. */
const CAMERA_BPS = 1_700_000;
/** Text must stay readable. */
const SCREEN_BPS = 2_500_000;

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
  if (source === "camera") encoding.maxBitrate = CAMERA_BPS;
  if (source === "screen") encoding.maxBitrate = SCREEN_BPS;
  try {
    await sender.setParameters(parameters);
  } catch {
    // A browser that does not know a field keeps its own defaults.
  }
}
