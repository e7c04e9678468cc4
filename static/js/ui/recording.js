// @ts-check
/**
 * A recording as everybody in the call meets it: the question, the banner above the pictures that
 * stays as long as anybody is asked or recorded, and what became of it.
 */

import { announce } from "./announce.js";
import { confirm } from "./confirm.js";
import { bound, button, find, words } from "./dom.js";
import { askForHeir, askWhoIsThere, closeDialogs } from "./recording-dialogs.js";
import { QuestionCard } from "./recording-question.js";
import { bannerWords, overWords } from "./recording-words.js";

/** @import {ClientMessage, Person, RecordingOver, RecordingShown, State, Welcome} from "../wire/messages.js" */

/**
 * @typedef {object} RecordingEvents
 * @property {(message: ClientMessage) => boolean} send false where the line is down
 * @property {() => void} appears the question has come up and must not be covered
 */

export class CallRecording {
  #section;
  #banner;
  #card;
  #question;
  #organisation;
  #events;
  #record;

  #you = "";
  #host = false;
  #recordable = false;
  /** @type {Person[]} */
  #people = [];
  /** @type {RecordingShown | null} */
  #shown = null;
  /** This page was there while it was asked for or ran, or saw it being stored. */
  #witnessed = false;
  /** The one whose end this person has put away. @type {string | null} */
  #closed = null;
  #said = "";

  /**
   * @param {HTMLElement} section
   * @param {string} organisation
   * @param {RecordingEvents} events
   * @param {AbortSignal} signal
   */
  constructor(section, organisation, events, signal) {
    this.#section = section;
    this.#organisation = organisation;
    this.#events = events;
    this.#banner = find(section, "#recording", HTMLElement);
    this.#card = find(section, "[data-consent]", HTMLElement);
    this.#question = new QuestionCard(this.#card, (answer) => events.send(answer), signal);
    this.#record = section.querySelector('[data-action="record"]');
    this.#record?.addEventListener("click", () => void this.#ask(), { signal });
    const press = (/** @type {string} */ action, /** @type {() => void} */ run) =>
      button(this.#banner, action).addEventListener("click", run, { signal });
    press("pause-recording", () =>
      events.send({ type: this.#shown?.state === "paused" ? "resume_recording" : "pause_recording" }),
    );
    press("stop-recording", () => events.send({ type: "stop_recording" }));
    press("take-back", () => events.send({ type: "take_back_recording" }));
    press("hand-over", () => void this.#handOver());
    press("withdraw", () => void this.#withdraw());
    press("close-recording", () => this.#putAway());
    signal.addEventListener("abort", () => {
      closeDialogs();
      this.#hide();
    });
    this.#hide();
  }

  /** @param {Welcome} welcome */
  welcomed({ you, host, recordable }) {
    this.#you = you;
    this.#host = host;
    this.#recordable = recordable === "yes";
  }

  /** @param {State} state */
  show({ people, recording, recording_over: over }) {
    this.#people = people;
    this.#shown = recording;
    if (this.#record instanceof HTMLElement) {
      this.#record.hidden = !this.#host || !this.#recordable || recording !== null;
    }
    const focused = document.activeElement;
    this.#showQuestion();
    if (recording !== null) this.#running(recording);
    else if (over !== null) this.#over(over);
    else this.#hide();
    this.#keepFocus(focused);
  }

  /** Whoever pressed what is gone now goes on reading at the banner. @param {Element | null} focused */
  #keepFocus(focused) {
    const ours = this.#banner.contains(focused) || this.#card.contains(focused);
    const lost = focused?.getClientRects().length === 0;
    if (ours && lost && !this.#banner.hidden) find(this.#banner, "h2", HTMLElement).focus({ preventScroll: true });
  }

  /** Whether something of this person is taken, as far as this page knows. */
  isRecorded() {
    const now = this.#shown;
    return now !== null && now.state !== "asked" && now.agreed.includes(this.#you);
  }

  /** Whether a recording runs that ends when this person leaves. */
  endsWithMe() {
    const now = this.#shown;
    return now !== null && now.state !== "asked" && now.keeper === this.#you;
  }

  #showQuestion() {
    const question = this.#shown?.question ?? null;
    const appears = question !== null && this.#card.hidden;
    this.#card.hidden = question === null;
    if (question === null) return;
    this.#question.show(question, this.#organisation);
    if (!appears) return;
    this.#events.appears();
    // The heading and no button: a key that was meant for something else must not answer.
    find(this.#card, "h2", HTMLElement).focus({ preventScroll: true });
    this.#card.scrollTop = 0;
  }

  /** @param {RecordingShown} shown */
  #running(shown) {
    this.#witnessed = true;
    const here = { you: this.#you, host: this.#host, people: this.#people, organisation: this.#organisation };
    const { title, detail, outside } = bannerWords(shown, here);
    this.#say(shown.falters && shown.state === "recording" ? "falters" : shown.state, title, detail, outside);
    const keeper = shown.keeper === this.#you;
    const asked = shown.state === "asked";
    const agreed = shown.agreed.includes(this.#you);
    const pause = button(this.#banner, "pause-recording");
    const withdraw = button(this.#banner, "withdraw");
    pause.textContent = shown.state === "paused" ? gettext("Go on recording") : gettext("Pause");
    withdraw.textContent = asked ? gettext("I have changed my mind") : gettext("Withdraw my consent");
    pause.hidden = asked || !keeper;
    button(this.#banner, "stop-recording").hidden = asked || !(keeper || this.#host);
    button(this.#banner, "hand-over").hidden = asked || !keeper || this.#heirs().length === 0;
    button(this.#banner, "take-back").hidden = !asked || !(keeper || this.#host);
    withdraw.hidden = !agreed || (asked && keeper); // they take the whole question back
    button(this.#banner, "close-recording").hidden = true;
  }

  /** @param {RecordingOver} over */
  #over(over) {
    if (over.state === "gathering" || over.state === "sealing") this.#witnessed = true;
    if (!this.#witnessed || this.#closed === over.id) return this.#hide();
    for (const each of this.#banner.querySelectorAll("button")) each.hidden = true;
    const close = button(this.#banner, "close-recording");
    close.hidden = false;
    close.dataset.recording = over.id;
    this.#say("over", overWords(over), "", "", over.state);
  }

  /**
   * @param {string} look
   * @param {string} title
   * @param {string} detail
   * @param {string} outside
   * @param {string} [phase] what a listener hears once, where the words change more often
   */
  #say(look, title, detail, outside, phase = title) {
    this.#banner.dataset.state = look;
    this.#section.dataset.recording = look;
    this.#banner.hidden = false;
    words(find(this.#banner, "h2", HTMLElement), title);
    words(bound(this.#banner, "recording-detail"), detail);
    words(bound(this.#banner, "recording-outside"), outside);
    if (this.#said !== phase + outside) announce([title, outside].filter(Boolean).join(" "));
    this.#said = phase + outside;
  }

  #putAway() {
    this.#closed = button(this.#banner, "close-recording").dataset.recording ?? null;
    this.#hide();
  }

  #hide() {
    this.#card.hidden = true;
    this.#banner.hidden = true;
    this.#said = "";
    delete this.#section.dataset.recording;
  }

  async #ask() {
    const asking = await askWhoIsThere();
    if (asking !== null) this.#events.send(asking);
  }

  async #handOver() {
    const heir = await askForHeir(this.#heirs());
    if (heir !== null) this.#events.send({ type: "hand_over_recording", participation: heir });
  }

  #heirs() {
    return this.#people.filter((person) => person.host && person.connected && person.id !== this.#you);
  }

  async #withdraw() {
    const asked = this.#shown?.state === "asked";
    const sure = await confirm({
      title: gettext("Withdraw your consent?"),
      words: asked
        ? gettext("Then nothing is recorded, and the visit goes on just the same.")
        : gettext(
            "From now on nothing more of you is recorded. What was recorded before stays. The visit goes on just the same.",
          ),
      yes: gettext("Yes, withdraw it"),
      no: gettext("No, leave it as it is"),
    });
    if (sure) this.#events.send({ type: "withdraw_consent" });
  }
}
