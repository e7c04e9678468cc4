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
/** Enough for 720p of a face; more only fills the line that the voice needs. */
const CAMERA_BPS = 1_700_000;
/** Text must stay readable. */
const SCREEN_BPS = 2_500_000;

/**
 * Sends the face whole, or half as wide and half as high.
 *
 * Every call begins small, so that the first picture is there sooner: Chromium takes a new line for
 * 300 kbit/s, drops the first frames of a larger picture one by one and then shows a quarter of the
 * size, which came 0.1 s later and blurred.
 *
 * @param {RTCRtpSender} sender
 * @param {boolean} small
 */
export async function fit(sender, small) {
  const tall = (sender.track?.getSettings().height ?? 0) > SMALL_HEIGHT;
  const downBy = small && tall ? 2 : 1;
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  if (encoding === undefined || (encoding.scaleResolutionDownBy ?? 1) === downBy) return;
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
  if (source === "camera") encoding.maxBitrate = CAMERA_BPS;
  if (source === "screen") encoding.maxBitrate = SCREEN_BPS;
  try {
    await sender.setParameters(parameters);
  } catch {
    // A browser that does not know a field keeps its own defaults.
  }
}
