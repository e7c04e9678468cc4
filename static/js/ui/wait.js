// @ts-check
/** Third stage, for guests: the waiting room. */

import { announce } from "./announce.js";
import { bound, button, find, icon, words } from "./dom.js";
import { QuestionCard } from "./recording-question.js";
import { fill, modeShort } from "./words.js";

/** @import {Lobby, Mode, Question} from "../wire/messages.js" */
/** @import {Answer} from "./recording-question.js" */
/** @import {LineStatus} from "../signal/line.js" */

export class WaitStage {
  #section;
  #question;
  #organisation = "";
  /** The text they said no to. @type {string | null} */
  #refused = null;

  /**
   * @param {HTMLElement} room
   * @param {{stop: () => void, answer: (answer: Answer) => boolean}} events
   */
  constructor(room, events) {
    this.#section = find(room, '[data-for="wait"]', HTMLElement);
    button(this.#section, "stop-waiting").addEventListener("click", events.stop);
    this.#question = new QuestionCard(this.#section, (answer) => {
      const sent = events.answer(answer);
      if (sent && answer.type === "refuse_consent") this.#saidNo(answer.text);
      return sent;
    });
    button(this.#section, "agree-after-all").addEventListener("click", () => {
      this.#refused = null;
      this.#ask();
    });
  }

  /**
   * @param {Mode} mode the kind of visit this person waits for
   * @param {string} organisation
   */
  show(mode, organisation) {
    this.#organisation = organisation;
    this.#refused = null;
    this.#atTheDoor(null);
    words(bound(this.#section, "wait-mode"), modeShort(mode, organisation));
    icon(find(this.#section, ".kind", HTMLElement), mode === "private" ? "lock" : "server");
    words(bound(this.#section, "host-lamp"), "");
    words(bound(this.#section, "place"), gettext("We are telling them that you are here."));
    words(bound(this.#section, "wait-trouble"), "");
  }

  /** @param {Lobby} lobby */
  lobby({ place, host_here: hostHere, question }) {
    this.#atTheDoor(question);
    if (question !== null) return;
    words(bound(this.#section, "host-lamp"), hostHere ? gettext("The clinician is here") : "");
    words(bound(this.#section, "place"), placeWords(place, hostHere));
  }

  /** Let in, and asked before entering: the call is being recorded. @param {Question | null} question */
  #atTheDoor(question) {
    const door = bound(this.#section, "door");
    const asked = question !== null;
    for (const name of ["reassure", "place", "wait-mirror"]) bound(this.#section, name).hidden = asked;
    if (asked) words(bound(this.#section, "host-lamp"), "");
    const begins = asked && door.hidden;
    door.hidden = !asked;
    const title = find(this.#section, "h1", HTMLElement);
    if (!asked) {
      title.textContent = gettext("You are in the waiting room");
      return;
    }
    this.#question.show(question, this.#organisation);
    if (this.#refused !== question.text && begins) this.#ask();
  }

  #ask() {
    this.#say(gettext("One question before you come in"), gettext("You can come in now. This call is being recorded."));
    this.#question.hidden = false;
    button(this.#section, "agree-after-all").hidden = true;
  }

  /** @param {string} text */
  #saidNo(text) {
    this.#refused = text;
    this.#say(
      gettext("You said no. That is all right."),
      gettext(
        "Nothing of you is recorded. You do not need to do anything: the call starts by itself as soon as the recording has ended. Please leave this page open. If you do not want to wait, call the place that invited you.",
      ),
    );
    this.#question.hidden = true;
    button(this.#section, "agree-after-all").hidden = false;
  }

  /** @param {string} heading @param {string} text */
  #say(heading, text) {
    const title = find(this.#section, "h1", HTMLElement);
    title.textContent = heading;
    words(bound(this.#section, "door-words"), text);
    title.focus({ preventScroll: true });
    announce(text);
    window.scrollTo(0, 0);
  }

  /** @param {LineStatus} status */
  line(status) {
    words(
      bound(this.#section, "wait-trouble"),
      status === "interrupted"
        ? gettext("Your connection was interrupted. We are bringing you back. Your place is kept.")
        : "",
    );
  }
}

/**
 * @param {number} place 1 is next
 * @param {boolean} hostHere
 */
function placeWords(place, hostHere) {
  const ahead = place - 1;
  if (!hostHere) {
    return ahead <= 0
      ? gettext("The clinician has not arrived yet. You are the first in line.")
      : fill(
          ngettext(
            "The clinician has not arrived yet. %(ahead)s person is ahead of you.",
            "The clinician has not arrived yet. %(ahead)s people are ahead of you.",
            ahead,
          ),
          { ahead },
        );
  }
  return ahead <= 0
    ? gettext("You are next. They can see that you are waiting and will let you in.")
    : fill(
        ngettext(
          "%(ahead)s person is ahead of you. They can see that you are waiting.",
          "%(ahead)s people are ahead of you. They can see that you are waiting.",
          ahead,
        ),
        { ahead },
      );
}
