// @ts-check
/** What a host is asked: who else is in their room, and who keeps a recording from now on. */

import { bound, button, find, make } from "./dom.js";

/** @import {AskRecording, Person} from "../wire/messages.js" */

/**
 * Asks the host, who attests it; null where they do not go on.
 *
 * @returns {Promise<AskRecording | null>}
 */
export function askWhoIsThere() {
  const dialog = find(document, "#ask-recording", HTMLDialogElement);
  const form = find(dialog, "form", HTMLFormElement);
  const [nobody, somebody] = ["nobody", "somebody"].map((value) =>
    find(form, `input[value="${value}"]`, HTMLInputElement),
  );
  const count = find(form, "[name=count]", HTMLInputElement);
  const who = find(form, "[name=who]", HTMLInputElement);
  const error = bound(form, "ask-error");
  const listening = new AbortController();
  const { signal } = listening;
  const more = () => {
    bound(form, "others").hidden = somebody?.checked !== true;
    error.textContent = "";
  };
  form.reset();
  more();
  dialog.returnValue = "";
  form.addEventListener("change", more, { signal });
  button(dialog, "ask-nobody").addEventListener("click", () => dialog.close(""), { signal });
  form.addEventListener(
    "submit",
    (event) => {
      const problem = problemOf(nobody?.checked === true, somebody?.checked === true, count, who);
      error.textContent = problem;
      if (problem !== "") event.preventDefault();
    },
    { signal },
  );
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        listening.abort();
        const others = somebody?.checked === true;
        resolve(
          dialog.returnValue === "ask"
            ? {
                type: "ask_recording",
                others_in_room: others ? count.valueAsNumber : 0,
                who: others ? who.value.trim() : "",
              }
            : null,
        );
      },
      { once: true },
    );
  });
}

/**
 * @param {boolean} nobody
 * @param {boolean} somebody
 * @param {HTMLInputElement} count
 * @param {HTMLInputElement} who
 */
function problemOf(nobody, somebody, count, who) {
  if (!nobody && !somebody) return gettext("Please say who else is in the room with you.");
  if (somebody && !(count.checkValidity() && Number.isInteger(count.valueAsNumber))) {
    return gettext("Please say how many others are there: 1 to 30.");
  }
  return somebody && who.value.trim() === "" ? gettext("Please say who they are, in a few words.") : "";
}

/**
 * The one who is to keep the recording; null where it stays where it is.
 *
 * @param {Person[]} staff
 * @returns {Promise<string | null>}
 */
export function askForHeir(staff) {
  const dialog = find(document, "#hand-over", HTMLDialogElement);
  bound(dialog, "heirs").replaceChildren(
    ...staff.map((person) => {
      const heir = make("button", { className: "button great primary", text: person.name, data: { action: "heir" } });
      heir.value = person.id;
      return heir;
    }),
  );
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue || null), { once: true });
  });
}

/** Questions to a host make no sense any more where the call is over. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("#ask-recording, #hand-over")) {
    if (dialog instanceof HTMLDialogElement && dialog.open) dialog.close("");
  }
}
