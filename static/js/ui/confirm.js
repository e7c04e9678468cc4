// @ts-check
/** A question that waits for its answer. */

import { bound, button, find } from "./dom.js";

/**
 * @param {{title: string, words: string, yes: string, no: string, danger?: boolean}} question
 * @returns {Promise<boolean>} false where the person closes it in any other way
 */
export function confirm(question) {
  const dialog = find(document, "#confirm", HTMLDialogElement);
  find(dialog, "h2", HTMLElement).textContent = question.title;
  bound(dialog, "confirm-words").textContent = question.words;
  const yes = button(dialog, "confirm");
  yes.textContent = question.yes;
  yes.classList.toggle("danger", question.danger === true);
  button(dialog, "cancel").textContent = question.no;
  if (dialog.open) dialog.close("no"); // an older question answers itself with no
  dialog.returnValue = "no";
  dialog.showModal();
  button(dialog, "cancel").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
