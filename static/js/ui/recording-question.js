// @ts-check
/** The question whether one agrees to be recorded, and its two answers: in the call and at the door. */

import { bound, button, find } from "./dom.js";
import { keptWords, seenByWords } from "./recording-words.js";

/** @import {GiveConsent, Question, RefuseConsent} from "../wire/messages.js" */
/** @typedef {GiveConsent | RefuseConsent} Answer */

export class QuestionCard {
  #card;
  #yes;
  #no;
  #text = "";

  /**
   * @param {ParentNode} root
   * @param {(answer: Answer) => boolean} send false where the line is down
   * @param {AbortSignal} [signal]
   */
  constructor(root, send, signal) {
    this.#card = find(root, "[data-question]", HTMLElement);
    this.#yes = button(this.#card, "agree");
    this.#no = button(this.#card, "refuse");
    const answer = (/** @type {Answer["type"]} */ type) => {
      if (this.#yes.getAttribute("aria-busy") === "true") return;
      const sent = send({ type, text: this.#text });
      this.#busy(sent);
      bound(this.#card, "question-trouble").textContent = sent
        ? ""
        : gettext("Your answer did not reach us: the connection is interrupted. Please try again in a moment.");
    };
    this.#yes.addEventListener("click", () => answer("give_consent"), { signal });
    this.#no.addEventListener("click", () => answer("refuse_consent"), { signal });
  }

  /** @param {Question} question @param {string} organisation */
  show(question, organisation) {
    this.#busy(false);
    this.#text = question.text;
    bound(this.#card, "question-words").textContent = question.words;
    bound(this.#card, "question-seen-by").textContent = seenByWords(question.terms, organisation);
    bound(this.#card, "question-kept").textContent = keptWords(question.terms);
  }

  set hidden(/** @type {boolean} */ hidden) {
    this.#card.hidden = hidden;
    this.#busy(false);
  }

  /** @param {boolean} busy */
  #busy(busy) {
    for (const each of [this.#yes, this.#no]) {
      if (busy) each.setAttribute("aria-busy", "true");
      else each.removeAttribute("aria-busy");
    }
  }
}
