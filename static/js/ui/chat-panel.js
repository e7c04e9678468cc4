// @ts-check
/** The chat: what was written during this call, on this page only. */

import { chatMessage } from "../media/chat.js";
import { announce } from "./announce.js";
import { bound, button, find, make, words } from "./dom.js";
import { fill } from "./words.js";

/** @import {Mode} from "../wire/messages.js" */

/** Older lines leave the page; a visit does not get this far. */
const MAX_LINES = 500;

export class ChatPanel {
  #section;
  #log;
  #scroll;
  #text;
  #say;
  #isOpen;
  #unread = 0;

  /**
   * @param {HTMLElement} section
   * @param {(text: string) => boolean} say
   * @param {() => boolean} isOpen
   * @param {AbortSignal} signal
   */
  constructor(section, say, isOpen, signal) {
    this.#section = section;
    this.#say = say;
    this.#isOpen = isOpen;
    this.#log = find(section, "#chat-log", HTMLOListElement);
    this.#scroll = find(section, ".chat-scroll", HTMLElement);
    this.#text = find(section, "#chat-text", HTMLTextAreaElement);
    find(section, '[data-form="chat"]', HTMLFormElement).addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        this.#send();
      },
      { signal },
    );
    this.#text.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        this.#send();
      },
      { signal },
    );
    this.available(false);
  }

  /** @param {Mode} mode @param {string} organisation */
  note(mode, organisation) {
    bound(this.#section, "chat-note").textContent =
      mode === "private"
        ? gettext("Only the two of you can read this. It is gone when you leave this page.")
        : fill(gettext("Goes through %(organisation)s's media server. It is gone from this page when you leave."), { organisation });
  }

  /** @param {boolean} open whether the channel carries messages now */
  available(open) {
    button(this.#section, "send").disabled = !open;
    this.#section.dataset.chat = open ? "open" : "closed";
  }

  /** @param {string} name @param {string} text */
  received(name, text) {
    this.#add(name, text, false);
    if (this.#isOpen()) return;
    this.#unread += 1;
    this.#badge();
    announce(fill(gettext("New message from %(name)s"), { name }));
  }

  /** The media worker did not pass on what was sent last. */
  refused() {
    words(
      bound(this.#section, "chat-error"),
      gettext("Your last message was not passed on. Please wait a moment, and send it again."),
    );
  }

  /** The panel was opened or closed. */
  seen() {
    if (!this.#isOpen()) return;
    this.#unread = 0;
    this.#badge();
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #send() {
    const text = this.#text.value.trim();
    const trouble = bound(this.#section, "chat-error");
    words(trouble, "");
    if (text === "") return;
    if (chatMessage(text) === null) {
      words(trouble, gettext("This message is too long. Please send it in parts."));
    } else if (this.#say(text)) {
      this.#text.value = "";
      this.#add(gettext("You"), text, true);
    } else {
      words(trouble, gettext("Not sent: you are not connected at the moment. Please try again."));
    }
  }

  /** @param {string} name @param {string} text @param {boolean} own */
  #add(name, text, own) {
    const now = new Date();
    const time = make("time", {
      text: now.toLocaleTimeString(document.documentElement.lang || undefined, { hour: "2-digit", minute: "2-digit" }),
    });
    time.dateTime = now.toISOString();
    this.#log.append(
      make(
        "li",
        { data: { own: own ? "yes" : "no" } },
        make("p", { className: "said-by" }, make("strong", { text: name }), time),
        make("p", { className: "said", text }),
      ),
    );
    while (this.#log.children.length > MAX_LINES) this.#log.firstElementChild?.remove();
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #badge() {
    words(bound(this.#section, "unread"), this.#unread === 0 ? "" : String(this.#unread));
  }
}
