// @ts-check
/** What getStats says about the call, in numbers a person may be shown. */

/**
 * @typedef {object} Quality
 * @property {string} dtls "" until known
 * @property {string} srtp
 * @property {"relay" | "direct" | ""} route
 * @property {number | null} roundTripMs
 * @property {number | null} lossPercent of what we received
 */

/** RTCTransportStats.tlsVersion, four hexadecimal digits of the record version (RFC 9147, RFC 6347). */
const DTLS_VERSIONS = new Map([
  ["FEFC", "DTLS 1.3"],
  ["FEFD", "DTLS 1.2"],
  ["FEFF", "DTLS 1.0"],
]);

/** @type {ReadonlyArray<[RegExp, string]>} */
const CIPHERS = [
  [/AES.?256.?GCM/i, "AES-256-GCM"],
  [/AES.?128.?GCM/i, "AES-128-GCM"],
  [/AES.?128.?CM/i, "AES-128"],
];

/**
 * @param {RTCPeerConnection[]} connections
 * @returns {Promise<Quality>}
 */
export async function qualityOf(connections) {
  /** @type {Quality} */
  const quality = { dtls: "", srtp: "", route: "", roundTripMs: null, lossPercent: null };
  let received = 0;
  let lost = 0;
  for (const pc of connections) {
    const report = await pc.getStats();
    report.forEach((entry) => {
      if (entry.type === "transport") {
        quality.dtls = DTLS_VERSIONS.get(entry.tlsVersion) ?? quality.dtls;
        const cipher = String(entry.srtpCipher ?? "");
        quality.srtp = CIPHERS.find(([pattern]) => pattern.test(cipher))?.[1] ?? (cipher || quality.srtp);
        const pair = report.get(entry.selectedCandidatePairId);
        if (pair !== undefined) readPair(report, pair, quality);
      }
      if (entry.type === "inbound-rtp") {
        received += entry.packetsReceived ?? 0;
        lost += Math.max(entry.packetsLost ?? 0, 0);
      }
    });
  }
  if (received + lost > 0) quality.lossPercent = (100 * lost) / (received + lost);
  return quality;
}

/**
 * @param {RTCStatsReport} report
 * @param {{localCandidateId: string, remoteCandidateId: string, currentRoundTripTime?: number}} pair
 * @param {Quality} quality
 */
function readPair(report, pair, quality) {
  const ends = [report.get(pair.localCandidateId), report.get(pair.remoteCandidateId)];
  quality.route = ends.some((end) => end?.candidateType === "relay") ? "relay" : "direct";
  if (pair.currentRoundTripTime !== undefined) {
    quality.roundTripMs = Math.round(pair.currentRoundTripTime * 1_000);
  }
}
