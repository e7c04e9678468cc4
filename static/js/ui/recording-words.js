// @ts-check
/** What the screen says about a recording: while it is asked for, while it runs, and after it. */

import { fill, joined } from "./words.js";

/** @import {Person, RecordingOver, RecordingShown, Terms} from "../wire/messages.js" */

/** @param {Terms} terms @param {string} organisation */
export function seenByWords({ seen_by: seenBy }, organisation) {
  return seenBy.includes("clinician")
    ? fill(gettext("The clinician who leads this visit and the compliance officers of %(organisation)s."), {
        organisation,
      })
    : fill(gettext("The compliance officers of %(organisation)s."), { organisation });
}

/** @param {Terms} terms */
export function keptWords({ keep_days: days }) {
  return fill(
    ngettext(
      "For %(days)s day. Then it is destroyed, unless it has to be kept longer by law.",
      "For %(days)s days. Then it is destroyed, unless it has to be kept longer by law.",
      days,
    ),
    { days },
  );
}

/**
 * The banner's words.
 *
 * @param {RecordingShown} shown
 * @param {{you: string, host: boolean, people: Person[], organisation: string}} here
 * @returns {{title: string, detail: string, outside: string}}
 */
export function bannerWords(shown, { you, host, people, organisation }) {
  const names = (/** @type {string[]} */ ids) =>
    people.filter((person) => ids.includes(person.id)).map((person) => person.name);
  const outside = host ? names(shown.outside) : [];
  return {
    title: titleWords(shown, you),
    detail:
      shown.state === "asked"
        ? waitingWords(shown, you, names)
        : fill(gettext("Who will be able to see it: %(who)s"), { who: seenByWords(shown.terms, organisation) }),
    outside:
      outside.length === 0
        ? ""
        : fill(
            ngettext(
              "%(names)s is at the door and has not agreed. They come in when they agree, or when the recording has ended.",
              "%(names)s are at the door and have not agreed. They come in when they agree, or when the recording has ended.",
              outside.length,
            ),
            { names: joined(outside) },
          ),
  };
}

/** @param {RecordingShown} shown @param {string} you */
function titleWords({ state, falters, since, agreed, question }, you) {
  if (state === "asked") {
    // Who still has the question before them need not read it twice.
    return question === null ? gettext("May this call be recorded? Nothing is recorded yet.") : gettext("Nothing is recorded yet.");
  }
  if (state === "paused") return gettext("The recording is paused. Nothing is recorded at the moment.");
  if (falters) return gettext("This call should be recorded, but at the moment nothing is.");
  const at = { time: timeWords(since) };
  return agreed.includes(you)
    ? fill(gettext("This call is being recorded, since %(time)s."), at)
    : fill(gettext("The others are being recorded, since %(time)s. Nothing more of you is."), at);
}

/**
 * Who has still to answer, in plain words.
 *
 * @param {RecordingShown} shown
 * @param {string} you
 * @param {(ids: string[]) => string[]} names
 */
function waitingWords({ unanswered }, you, names) {
  const others = names(unanswered.filter((id) => id !== you));
  const alsoYou = unanswered.includes(you);
  if (others.length === 0) return alsoYou ? gettext("Your answer is the last that is missing.") : "";
  const who = { names: joined(others) };
  return alsoYou
    ? fill(gettext("Still to answer: you, %(names)s."), who)
    : fill(gettext("You agreed. Still to answer: %(names)s."), who);
}

/** @param {string | null} since ISO 8601 */
function timeWords(since) {
  if (since === null) return "";
  const language = document.documentElement.lang || "en";
  return new Date(since).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
}

/** What became of it. @param {RecordingOver} over */
export function overWords({ state, why, percent }) {
  switch (state) {
    case "abandoned":
      if (why === "refused") return gettext("Not everybody agreed. Nothing was recorded, and the visit goes on just the same.");
      if (why === "taken_back") return gettext("The question about a recording was taken back. Nothing was recorded.");
      return gettext("The question about a recording is closed. Nothing was recorded.");
    case "gathering":
      return gettext("The recording has ended. It is being gathered, to be stored.");
    case "sealing":
      return fill(gettext("The recording has ended. It is being sealed, to be stored: %(percent)s per cent."), { percent });
    case "stored":
      return gettext("The recording has ended. It was stored, encrypted, and checked.");
    case "empty":
      return gettext("The recording has ended. Nothing was recorded.");
  }
}
