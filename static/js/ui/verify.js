// @ts-check
/** First stage, for guests: a code by mail shows that it is them. */

import { checkCode, sendCode } from "../signal/door.js";
import { Problem, UNREACHABLE } from "../signal/http.js";
import { announce } from "./announce.js";
import { bound, button, find } from "./dom.js";
import { fill } from "./words.js";

/** @import {Me} from "../signal/door.js" */

const CODE_DIGITS = 6;

export class VerifyStage {
  #section;
  #form;
  #input;
  #resend;
  #busy = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #countdown;

  /**
   * @param {HTMLElement} room
   * @param {{verified: () => void, refused: (problem: Problem) => void}} events
   */
  constructor(room, events) {
    this.events = events;
    this.#section = find(room, '[data-for="verify"]', HTMLElement);
    this.#form = find(this.#section, "form", HTMLFormElement);
    this.#input = find(this.#form, "input", HTMLInputElement);
    this.#resend = button(this.#section, "resend");
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#check();
    });
    this.#input.addEventListener("input", () => {
      this.#trouble("");
      if (this.#code().length === CODE_DIGITS) void this.#check();
    });
    this.#resend.addEventListener("click", () => void this.#send());
  }

  /** @param {Me} me */
  show(me) {
    this.#input.value = "";
    this.#sentTo(me.sent_to ?? "");
    if (me.sent_to) this.#wait(0);
    else void this.#send();
  }

  #code() {
    return this.#input.value.replace(/\D/g, "");
  }

  /** @param {string} address masked */
  #sentTo(address) {
    bound(this.#section, "sent").textContent = address
      ? fill(gettext("We sent a code to %(address)s. Please type it in here."), { address })
      : gettext("We are sending you a code by e-mail.");
  }

  async #send() {
    this.#resend.disabled = true;
    try {
      const { sent_to, resend_after_seconds } = await sendCode();
      this.#sentTo(sent_to);
      this.#trouble("");
      announce(gettext("A new code is on its way."));
      this.#wait(resend_after_seconds);
      this.#input.focus();
    } catch (error) {
      this.#failed(error);
      this.#wait(5);
    }
  }

  async #check() {
    if (this.#busy) return;
    const code = this.#code();
    if (code.length !== CODE_DIGITS) {
      this.#trouble(gettext("The code has six digits."));
      return;
    }
    this.#busy = true;
    const submit = button(this.#form, "verify");
    submit.setAttribute("aria-busy", "true");
    try {
      await checkCode(code);
      clearInterval(this.#countdown);
      this.events.verified();
    } catch (error) {
      this.#input.select();
      this.#failed(error);
    } finally {
      this.#busy = false;
      submit.removeAttribute("aria-busy");
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    const problem = error instanceof Problem ? error : new Problem(UNREACHABLE);
    if (problem.code === UNREACHABLE) {
      this.#trouble(gettext("We cannot reach the server. Please check your internet connection."));
    } else if (/^(code_|too_many|form_|try_later)/.test(problem.code)) {
      this.#trouble(problem.text);
    } else {
      this.events.refused(problem);
    }
  }

  /** @param {string} text */
  #trouble(text) {
    find(this.#form, "#code-error", HTMLElement).textContent = text;
    this.#input.setAttribute("aria-invalid", String(text !== ""));
  }

  /** @param {number} seconds until a new code may be asked for */
  #wait(seconds) {
    clearInterval(this.#countdown);
    const until = performance.now() + seconds * 1_000;
    const tick = () => {
      const left = Math.ceil((until - performance.now()) / 1_000);
      this.#resend.disabled = left > 0;
      this.#resend.textContent =
        left > 0
          ? fill(ngettext("Send a new code (in %(left)s second)", "Send a new code (in %(left)s seconds)", left), { left })
          : gettext("Send a new code");
      if (left <= 0) clearInterval(this.#countdown);
    };
    this.#countdown = setInterval(tick, 1_000);
    tick();
  }
}
