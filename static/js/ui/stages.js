// @ts-check
/** One stage of the page is visible at a time; its heading takes the focus, so that it is read out. */

/** @typedef {"loading" | "verify" | "check" | "wait" | "call" | "ended"} Stage */

/**
 * @param {HTMLElement} room
 * @param {Stage} stage
 */
export function showStage(room, stage) {
  if (room.dataset.stage === stage) return;
  room.dataset.stage = stage;
  document.body.dataset.stage = stage; // the call hides the masthead
  for (const section of room.querySelectorAll("[data-for]")) {
    if (section instanceof HTMLElement) section.hidden = section.dataset.for !== stage;
  }
  const heading = room.querySelector(`[data-for="${stage}"] h1`);
  if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}
