// @ts-check
/** The panels at the side of the call: at most one is open; Escape closes it. */

import { button, find } from "./dom.js";

/** @typedef {"chat" | "people" | "devices" | "about"} PanelName */
const NAMES = /** @type {PanelName[]} */ (["chat", "people", "devices", "about"]);

export class Panels {
  #section;
  #onChange;
  /** @type {PanelName | null} */
  #open = null;

  /**
   * @param {HTMLElement} section
   * @param {(open: PanelName | null) => void} onChange
   * @param {AbortSignal} signal
   */
  constructor(section, onChange, signal) {
    this.#section = section;
    this.#onChange = onChange;
    for (const name of NAMES) {
      button(section, name).addEventListener(
        "click",
        () => this.show(this.#open === name ? null : name),
        { signal },
      );
      button(this.#panel(name), "close-panel").addEventListener("click", () => this.show(null), { signal });
    }
    section.addEventListener(
      "keydown",
      (event) => {
        if (event.key === "Escape") this.show(null);
      },
      { signal },
    );
    this.show(null);
  }

  /** @param {PanelName} name */
  isOpen(name) {
    return this.#open === name;
  }

  /** @param {PanelName | null} name */
  show(name) {
    const before = this.#open;
    this.#open = name;
    this.#section.dataset.panel = name ?? "none";
    for (const each of NAMES) {
      this.#panel(each).hidden = each !== name;
      button(this.#section, each).setAttribute("aria-expanded", String(each === name));
    }
    if (name !== null) this.#focusIn(name);
    else if (before !== null) button(this.#section, before).focus();
    this.#onChange(name);
  }

  /** @param {PanelName} name */
  #focusIn(name) {
    const panel = this.#panel(name);
    const first = name === "chat" ? panel.querySelector("textarea") : panel.querySelector("h2");
    if (first instanceof HTMLElement) first.focus({ preventScroll: true });
  }

  /** @param {PanelName} name */
  #panel(name) {
    return find(this.#section, `[data-panel="${name}"]`, HTMLElement);
  }
}
