// @ts-check
/** What a screen reader says when something changes that only the eye would notice. */

/** @param {string} text */
export function announce(text) {
  const place = document.getElementById("announce");
  if (place === null) return;
  // The same words again are news again: some readers only notice a change.
  place.textContent = place.textContent === text ? `${text}\u00A0` : text;
}
