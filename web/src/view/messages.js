import { button, part, setIcon } from "./dom.js";

/** @import { Command, Message, State } from "../types.js" */

const SHOWN_MS = 5000;
/** @type {Readonly<Record<string, string>>} */
const ICONS = { info: "info", success: "check", warning: "warning", error: "warning" };

/** One message at a time, over the stage; read out by screen readers as well. */
export class Messages {
  #box = part("message", HTMLElement);
  #text = part("message-text", HTMLElement);
  #action = button("message-action");
  #polite = part("polite", HTMLElement);
  #urgent = part("urgent", HTMLElement);
  /** @type {Message | null} */
  #shown = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {() => void} */
  #dismiss = () => {};

  /**
   * @param {() => void} dismiss
   * @param {(name: Command["name"]) => void} act
   */
  connect(dismiss, act) {
    this.#dismiss = dismiss;
    button("message-close").addEventListener("click", dismiss);
    this.#action.addEventListener("click", () => {
      const name = this.#shown?.action?.name;
      dismiss();
      if (name) act(name);
    });
  }

  /** @param {State} state @param {State} before */
  render({ message, capture, phase }, before) {
    this.#announce({ capture, phase }, before);
    if (message === this.#shown) return;
    this.#shown = message;
    clearTimeout(this.#timer);
    this.#box.hidden = message === null;
    // What is over must not be found there by somebody who reads the page later.
    this.#urgent.textContent = "";
    if (!message) return;
    this.#box.dataset.level = message.level;
    this.#box.dataset.reason = message.reason ?? "";
    this.#text.textContent = message.text;
    setIcon(this.#box, ICONS[message.level] ?? "info");
    this.#action.hidden = !message.action;
    this.#action.textContent = message.action?.label ?? "";
    (message.level === "error" ? this.#urgent : this.#polite).textContent = message.text;
    if (!message.sticky) this.#timer = setTimeout(this.#dismiss, SHOWN_MS);
  }

  /**
   * What the eye sees in the middle of the stage, for those who listen.
   * @param {Pick<State, "capture" | "phase">} now
   * @param {State} before
   */
  #announce({ capture, phase }, before) {
    if (capture !== before.capture && capture) {
      const first = before.capture === null;
      if (capture.kind === "collecting") this.#polite.textContent = "Capturing. Do not move.";
      else if (first) this.#polite.textContent = `Step out of the picture. ${capture.left} seconds.`;
      else this.#polite.textContent = String(capture.left);
    }
    if (!capture && before.capture) {
      const cancelled = before.capture.kind === "countdown";
      this.#polite.textContent = cancelled ? "Capture cancelled." : "";
    }
    if (phase === "lost" && before.phase !== "lost") {
      this.#urgent.textContent = "Connection lost. Reconnecting.";
    }
  }
}
