// @ts-check
/** Third stage, for guests: the waiting room. */

import { bound, button, find, icon, words } from "./dom.js";
import { fill, modeShort } from "./words.js";

/** @import {Lobby, Mode} from "../wire/messages.js" */
/** @import {LineStatus} from "../signal/line.js" */

export class WaitStage {
  #section;

  /**
   * @param {HTMLElement} room
   * @param {() => void} stopWaiting
   */
  constructor(room, stopWaiting) {
    this.#section = find(room, '[data-for="wait"]', HTMLElement);
    button(this.#section, "stop-waiting").addEventListener("click", stopWaiting);
  }

  /**
   * @param {Mode} mode the kind of visit this person waits for
   * @param {string} organisation
   */
  show(mode, organisation) {
    words(bound(this.#section, "wait-mode"), modeShort(mode, organisation));
    icon(find(this.#section, ".kind", HTMLElement), mode === "private" ? "lock" : "server");
    words(bound(this.#section, "host-lamp"), "");
    words(bound(this.#section, "place"), gettext("We are telling them that you are here."));
    words(bound(this.#section, "wait-trouble"), "");
  }

  /** @param {Lobby} lobby */
  lobby({ place, host_here: hostHere }) {
    words(bound(this.#section, "host-lamp"), hostHere ? gettext("The clinician is here") : "");
    words(bound(this.#section, "place"), placeWords(place, hostHere));
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
