import { button, make, part } from "./dom.js";

/**
 * @typedef {object} Shortcut
 * @property {string} key as in `KeyboardEvent.key`, lower case
 * @property {string} [shown]
 * @property {string} about
 * @property {() => void} press
 * @property {() => void} [release]
 */

/** Inputs in which no letter and no digit means anything. */
const KEYLESS = Object.freeze(["radio", "range", "color", "file"]);

/** Keys anywhere on the page, except where somebody types. */
export class Shortcuts {
  #shortcuts;
  #dialog = part("shortcuts", HTMLDialogElement);

  /** @param {Shortcut[]} shortcuts */
  constructor(shortcuts) {
    this.#shortcuts = [
      ...shortcuts,
      { key: "?", about: "These shortcuts", press: () => this.#toggle() },
    ];
    this.#list();
    button("show-shortcuts").addEventListener("click", () => this.#toggle());
    this.#dialog.addEventListener("click", ({ target }) => {
      if (target === this.#dialog) this.#dialog.close();
    });
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event)) return;
      const shortcut = this.#find(event.key);
      if (!shortcut || (document.querySelector("dialog[open]") && event.key !== "?")) return;
      event.preventDefault();
      shortcut.press();
    });
    document.addEventListener("keyup", ({ key }) => this.#find(key)?.release?.());
    // A key released in another window is never heard.
    window.addEventListener("blur", () => {
      for (const shortcut of this.#shortcuts) shortcut.release?.();
    });
  }

  /** @param {string} key */
  #find(key) {
    return this.#shortcuts.find((each) => each.key === key.toLowerCase());
  }

  #toggle() {
    if (this.#dialog.open) this.#dialog.close();
    else this.#dialog.showModal();
  }

  #list() {
    const shown = this.#shortcuts.filter((each) => each.about);
    part("shortcut-list", HTMLElement).replaceChildren(
      ...shown.flatMap(({ key, shown: sign, about }) => [
        make("dt", {}, make("kbd", { text: sign ?? key.toUpperCase() })),
        make("dd", { text: about }),
      ]),
    );
  }
}

/** @param {KeyboardEvent} event */
function typing({ target }) {
  if (target instanceof HTMLInputElement) return !KEYLESS.includes(target.type);
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
