// @ts-check
/**
 * Which problems end the attempts to connect, and what a close code means.
 * Codes and numbers are those of foundation/errors.py, where none ever changes its meaning.
 */

/** Trying again would be refused again: the person has to do something first. */
const FATAL = new Set([
  "sign_in_required",
  "second_factor_required",
  "not_permitted",
  "not_found",
  "invitation_unknown",
  "invitation_expired",
  "invitation_used",
  "invitation_revoked",
  "not_verified",
  "seat_unknown",
  "not_admitted",
  "meeting_closed",
  "meeting_full",
  "removed",
  "mode_not_allowed",
  "consent_required",
  "taken_over",
  "version_unknown",
  "wrong_state",
]);

/** @type {Readonly<Record<number, string>>} */
const CLOSE_CODES = {
  4001: "sign_in_required",
  4002: "second_factor_required",
  4003: "not_permitted",
  4004: "not_found",
  4005: "wrong_state",
  4013: "invitation_revoked",
  4016: "not_verified",
  4017: "seat_unknown",
  4020: "not_admitted",
  4021: "meeting_closed",
  4022: "meeting_full",
  4023: "removed",
  4024: "mode_not_allowed",
  4025: "consent_required",
  4034: "taken_over",
  4036: "version_unknown",
};

/** @param {string} code */
export function isFatal(code) {
  return FATAL.has(code);
}

/**
 * The problem a socket closed with, or null where it means nothing to us.
 *
 * @param {number} closeCode
 * @returns {string | null}
 */
export function problemOfClose(closeCode) {
  return CLOSE_CODES[closeCode] ?? null;
}
