// @ts-check
/** Last stage: why the call is over here, and the one thing to do next. */

import { bound, button, find, words } from "./dom.js";

/** @import {Problem} from "../signal/http.js" */
/** @import {Goodbye} from "../wire/messages.js" */
/** @typedef {"rejoin" | "takeover" | "reload" | "sign-in" | "home" | null} NextStep */
/** @typedef {{title: string, words: string, help?: string, next: NextStep, rejoin?: string}} Ending */

export class EndedStage {
  #section;
  #host;

  /**
   * @param {HTMLElement} room
   * @param {boolean} host has a start page to go back to
   * @param {{rejoin: () => void, takeover: () => void}} events
   */
  constructor(room, host, events) {
    this.#section = find(room, '[data-for="ended"]', HTMLElement);
    this.#host = host;
    button(this.#section, "rejoin").addEventListener("click", events.rejoin);
    button(this.#section, "takeover").addEventListener("click", events.takeover);
    button(this.#section, "reload").addEventListener("click", () => location.reload());
  }

  /**
   * @param {Goodbye} goodbye
   * @param {boolean} [recorded] this person was being recorded
   */
  showGoodbye(goodbye, recorded = false) {
    const ending = endingOf(goodbye);
    const over = recorded && goodbye.reason !== "taken_over" ? gettext("Nothing more of you is recorded.") : "";
    this.#show({ ...ending, help: [over, ending.help].filter(Boolean).join(" ") }, goodbye.reason);
  }

  /** This person did not want to wait any longer. */
  showStoppedWaiting() {
    this.#show(
      {
        title: gettext("You have left the waiting room"),
        words: gettext("Your camera and microphone are off. You can come back while the visit is open; you then wait behind those who stayed."),
        next: "rejoin",
        rejoin: gettext("Back to the waiting room"),
      },
      "stopped_waiting",
    );
  }

  /** @param {Problem} problem */
  showProblem(problem) {
    this.#show(troubleOf(problem), problem.code);
  }

  /**
   * @param {Ending} ending
   * @param {string} reason
   */
  #show(ending, reason) {
    this.#section.dataset.reason = reason;
    find(this.#section, "h1", HTMLElement).textContent = ending.title;
    words(bound(this.#section, "ended-words"), ending.words);
    words(bound(this.#section, "ended-help"), ending.help ?? "");
    button(this.#section, "rejoin").textContent = ending.rejoin ?? gettext("Come back to the call");
    for (const step of ["rejoin", "takeover", "reload", "sign-in", "home"]) {
      const control = find(this.#section, `[data-action="${step}"]`, HTMLElement);
      control.hidden = step !== ending.next && !(step === "home" && this.#host);
    }
  }
}

/** @param {Goodbye} goodbye @returns {Ending} */
function endingOf({ reason, may_return: mayReturn }) {
  const rejoin = mayReturn ? "rejoin" : null;
  switch (reason) {
    case "left":
      return {
        title: gettext("You have left the call"),
        words: mayReturn
          ? gettext("Your camera and microphone are off. You can come back while the visit is open.")
          : gettext("Your camera and microphone are off. You can close this page."),
        next: rejoin,
      };
    case "removed":
      return {
        title: gettext("You were taken out of the call"),
        words: gettext("The person who leads the visit has ended it for you."),
        help: gettext("If you think that this was a mistake, please call the place that invited you."),
        next: rejoin,
      };
    case "declined":
      return {
        title: gettext("You could not be let in right now"),
        words: gettext("This may simply be a question of time."),
        help: gettext("Please call the place that invited you. They will tell you what happens next."),
        next: rejoin,
      };
    case "ended":
      return {
        title: gettext("The visit is over"),
        words: gettext("Your camera and microphone are off. You can close this page."),
        next: null,
      };
    case "taken_over":
      return {
        title: gettext("You are in this visit on another page"),
        words: gettext("It is open in another window or on another device, and can only be open once."),
        next: mayReturn ? "takeover" : null,
      };
  }
}

/** @param {Problem} problem @returns {Ending} */
function troubleOf({ code, text }) {
  switch (code) {
    case "sign_in_required":
    case "second_factor_required":
      return {
        title: gettext("Please sign in again"),
        words: gettext("For your safety you were signed out. Sign in, and you come back to this visit."),
        next: "sign-in",
      };
    case "seat_unknown":
    case "not_verified":
      return {
        title: gettext("Please open your invitation again"),
        words: gettext("We do not recognise this device. Open the message with your invitation and tap its link once more."),
        next: null,
      };
    case "taken_over":
      return endingOf({ type: "goodbye", reason: "taken_over", may_return: true });
    case "meeting_closed":
      return endingOf({ type: "goodbye", reason: "ended", may_return: false });
    case "removed":
      return endingOf({ type: "goodbye", reason: "removed", may_return: false });
    case "mode_mismatch":
      return {
        title: gettext("We stopped, to be safe"),
        words: gettext("The connection offered was not the kind that this visit promises. Nothing was sent."),
        help: gettext("Please tell the place that invited you."),
        next: "reload",
      };
    case "version_unknown":
    case "wrong_state":
    case "unreachable":
      return {
        title: gettext("This page lost its way"),
        words: gettext("Nothing is broken. Please load it again."),
        next: "reload",
      };
    default:
      return {
        title: gettext("This did not work"),
        words: text || gettext("The visit cannot be opened here."),
        help: gettext("If it stays like this, please call the place that invited you."),
        next: "reload",
      };
  }
}
