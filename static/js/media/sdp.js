// @ts-check
/**
 * What this browser refuses in the other side's description, and hides in its own.
 * Sources: RFC 8827 section 6.5 (DTLS-SRTP), RFC 8839 (candidate lines).
 */

/**
 * Whether every media section is DTLS-SRTP and the certificate is named by SHA-256.
 *
 * @param {string} sdp
 */
export function isProtected(sdp) {
  const lines = sdp.split(/\r?\n/);
  const sections = lines.filter((line) => line.startsWith("m="));
  const prints = lines.filter((line) => line.startsWith("a=fingerprint:"));
  return (
    sections.length > 0 &&
    sections.every((line) => / UDP\/TLS\/RTP\/SAVPF | (?:UDP\/)?DTLS\/SCTP /.test(line)) &&
    prints.length > 0 &&
    prints.some((line) => /^a=fingerprint:sha-256 /i.test(line))
  );
}

/** @param {string} candidate the value of RTCIceCandidate.candidate */
export function isRelayed(candidate) {
  return / typ relay(?: |$)/.test(candidate);
}

/**
 * Whether the other side can send to it. Browsers gather TCP candidates of the active kind alone
 * (RFC 6544 section 4.5), which only connect to passive ones; neither a browser nor the media
 * worker has any of those.
 *
 * @param {string} candidate the value of RTCIceCandidate.candidate
 */
export function isReachable(candidate) {
  return !/ tcptype active(?: |$)/.test(candidate);
}

/**
 * A relayed candidate without the address it was asked from, which some browsers put in.
 *
 * @param {string} line
 */
export function hideBase(line) {
  return line.replace(/ raddr \S+ rport \d+/, " raddr 0.0.0.0 rport 0");
}

/**
 * A description with relayed candidates only.
 *
 * @param {string} sdp
 */
export function onlyRelayed(sdp) {
  return sdp
    .split("\r\n")
    .filter((line) => !line.startsWith("a=candidate:") || isRelayed(line))
    .map((line) => (line.startsWith("a=candidate:") ? hideBase(line) : line))
    .join("\r\n");
}
