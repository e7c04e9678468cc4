// @ts-check
/** Who is in the call, and, for a host, who waits. */

import { bound, find, make, words } from "./dom.js";
import { fill, verifiedWords, waitingWords } from "./words.js";

/** @import {Person, Waiting} from "../wire/messages.js" */

/**
 * @param {HTMLElement} section
 * @param {Person[]} people
 * @param {object} how
 * @param {string} how.you
 * @param {boolean} how.outdated the people may have changed since
 * @param {((person: Person) => void) | null} how.remove null where this person may not
 */
export function showPeople(section, people, { you, outdated, remove }) {
  words(
    bound(section, "people-outdated"),
    outdated ? gettext("Your connection is interrupted. This is how it was before.") : "",
  );
  const list = bound(section, "people-list");
  const shown = JSON.stringify([people, you, remove !== null]);
  if (list.dataset.shown === shown) return; // a button that is replaced loses the focus
  list.dataset.shown = shown;
  list.replaceChildren(
    ...people.map((person) => {
      const name = make("strong", { text: person.name });
      const item = make(
        "li",
        { data: { participation: person.id } },
        make("div", {}, name, make("span", { className: "soft small", text: stateWords(person, you) })),
      );
      if (remove !== null && person.id !== you && !person.host) {
        const button = make("button", {
          className: "button small danger",
          text: gettext("Remove"),
          data: { action: "remove", participation: person.id },
        });
        button.type = "button";
        button.setAttribute("aria-label", fill(gettext("Remove %(name)s"), { name: person.name }));
        button.addEventListener("click", () => remove(person));
        item.append(button);
      }
      return item;
    }),
  );
}

/** Empties both lists: their buttons speak for a call that is over. @param {HTMLElement} section */
export function clearPeople(section) {
  const list = bound(section, "people-list");
  delete list.dataset.shown;
  list.replaceChildren();
  bound(section, "waiting-list").replaceChildren();
}

/** @param {Person} person @param {string} you */
function stateWords(person, you) {
  const facts = [
    ...(person.id === you ? [person.host ? gettext("you lead the visit") : gettext("you")] : []),
    ...(person.host && person.id !== you ? [gettext("leads the visit")] : []),
    ...(!person.connected && person.id !== you ? [gettext("not connected")] : []),
    ...(person.connected && !person.microphone ? [gettext("muted")] : []),
    ...(person.connected && !person.camera ? [gettext("camera off")] : []),
    ...(person.screen ? [gettext("shares a screen")] : []),
  ];
  return facts.length === 0 ? gettext("in the call") : facts.join(", ");
}

/**
 * @typedef {object} WaitingEvents
 * @property {(waiting: Waiting) => void} admit
 * @property {(waiting: Waiting) => void} decline
 */

/**
 * Those who wait, with the host's two answers. The rows are kept while they stay, so that a button
 * does not vanish under a finger or lose the focus.
 *
 * @param {HTMLElement} section
 * @param {Waiting[]} waiting
 * @param {WaitingEvents} events
 */
export function showWaiting(section, waiting, events) {
  const box = find(section, "#waiting", HTMLElement);
  const list = bound(section, "waiting-list");
  box.hidden = waiting.length === 0;
  find(box, "h2", HTMLElement).textContent =
    waiting.length === 1
      ? gettext("Someone is waiting for you")
      : fill(gettext("%(count)s people are waiting for you"), { count: waiting.length });
  const rows = new Map(
    [...list.children].map((row) => [row instanceof HTMLElement ? row.dataset.participation : "", row]),
  );
  const wanted = waiting.map((one) => {
    const row = rows.get(one.id) ?? waitingRow(one, events);
    const facts = bound(row, "facts");
    const text = [
      verifiedWords(one.verified_by),
      one.connected ? waitingWords(one.since) : gettext("their connection is interrupted"),
    ].join(" · ");
    if (facts.textContent !== text) facts.textContent = text;
    return row;
  });
  const same = wanted.length === list.children.length && wanted.every((row, n) => row === list.children[n]);
  if (!same) list.replaceChildren(...wanted);
}

/**
 * @param {Waiting} one
 * @param {WaitingEvents} events
 */
function waitingRow(one, events) {
  const answer = (
    /** @type {"admit" | "decline"} */ action,
    /** @type {string} */ text,
    /** @type {string} */ label,
    /** @type {string} */ className,
  ) => {
    const button = make("button", { className, text, data: { action, participation: one.id } });
    button.type = "button";
    button.setAttribute("aria-label", fill(label, { name: one.name }));
    button.addEventListener("click", () => {
      button.setAttribute("aria-busy", "true");
      setTimeout(() => button.removeAttribute("aria-busy"), 2_000);
      events[action](one);
    });
    return button;
  };
  return make(
    "li",
    { data: { participation: one.id } },
    make(
      "div",
      {},
      make("strong", { text: one.name }),
      make("span", { className: "soft small", data: { bind: "facts" } }),
    ),
    make(
      "div",
      { className: "answers" },
      answer("admit", gettext("Let in"), gettext("Let in: %(name)s"), "button primary"),
      answer("decline", gettext("Not now"), gettext("Not now: %(name)s"), "button"),
    ),
  );
}
