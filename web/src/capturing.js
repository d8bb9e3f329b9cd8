import { refusal } from "./state/words.js";
import { lock, unlock } from "./wire/camera.js";
import { Refusal, Unreachable } from "./wire/gateway.js";

/** @import { Publisher } from "./publisher.js" */
/** @import { Store } from "./state/state.js" */

/** "Capture background": count down, hold the camera still, learn the plate, show it. */
export class Capturing {
  #store;
  #publisher;
  /** @type {AbortController | null} */
  #cancel = null;
  /** @type {string | null} */
  #picture = null;
  /** Counts what ends a plate: a capture that was begun before must not bring one back. */
  #forgotten = 0;

  /**
   * @param {Store} store
   * @param {Pick<Publisher, "calls" | "plate" | "keepPlate">} publisher
   */
  constructor(store, publisher) {
    this.#store = store;
    this.#publisher = publisher;
  }

  /** @param {MediaStreamTrack} camera */
  async run(camera) {
    if (this.#cancel || this.#store.state.phase !== "live") return;
    const cancel = new AbortController();
    this.#cancel = cancel;
    try {
      await unlock(camera);
      for (let left = this.#store.state.preferences.countdown; left > 0; left -= 1) {
        this.#store.dispatch({ type: "capture", step: { kind: "countdown", left } });
        // Held a second before the first shot: some cameras jump when they are told.
        if (left === 1) await lock(camera);
        if (!(await aSecond(cancel.signal))) return;
      }
      this.#store.dispatch({ type: "capture", step: { kind: "collecting" } });
      await this.#collect(camera);
    } finally {
      this.#cancel = null;
      if (this.#store.state.capture) this.#store.dispatch({ type: "capture", step: null });
    }
  }

  /** Only while counting down. */
  stop() {
    this.#cancel?.abort();
  }

  async forget() {
    this.#forgotten += 1;
    this.#show(null);
    this.#store.dispatch({ type: "forgotten" });
    await this.#publisher.keepPlate(null);
    await this.#publisher.calls?.forgetPlate();
  }

  /** The stream ended. */
  clear() {
    this.stop();
    this.#forgotten += 1;
    this.#show(null);
  }

  /** @param {MediaStreamTrack} camera */
  async #collect(camera) {
    const { calls, plate: before } = this.#publisher;
    if (!calls) return;
    const forgotten = this.#forgotten;
    // From here on the plate in keeping may be an older scene than the gateway's: until it is known
    // which one the gateway has, there is none to restore.
    await this.#publisher.keepPlate(null);
    if (this.#forgotten !== forgotten) return;
    try {
      await calls.capture();
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
      if (this.#forgotten !== forgotten) return; // cancelled by that, and said already
      // Refused: the gateway keeps what it had, unless somebody deleted that. Without an answer
      // nobody knows what it has.
      const kept =
        error instanceof Refusal && error.status < 500 && error.reason !== "cancelled";
      if (kept && this.#publisher.calls) await this.#publisher.keepPlate(before);
      if (this.#store.state.plate.state !== "ready") await unlock(camera);
      this.#refused(error);
      return;
    }
    const plate = await this.#fetch(calls);
    if (this.#forgotten !== forgotten || !this.#publisher.calls) return;
    await this.#publisher.keepPlate(plate);
    this.#store.dispatch({ type: "captured", picture: this.#show(plate) });
    const message = plate
      ? { level: /** @type {const} */ ("success"), text: "Background captured. Step back in." }
      : {
          level: /** @type {const} */ ("warning"),
          text: "Background captured, but its picture did not arrive: it cannot be shown here, nor restored if the gateway restarts.",
        };
    this.#store.dispatch({ type: "message", message });
  }

  /**
   * The captured plate; null where it does not arrive, which makes the capture no failure.
   * @param {{plate: () => Promise<Blob>}} calls
   * @returns {Promise<Blob | null>}
   */
  async #fetch(calls) {
    try {
      return await calls.plate();
    } catch (error) {
      if (error instanceof Refusal || error instanceof Unreachable) return null;
      throw error;
    }
  }

  /** @param {Refusal | Unreachable} error */
  #refused(error) {
    const refused = error instanceof Refusal;
    const reason = refused ? error.reason : "unreachable";
    const text = refused
      ? refusal(error.reason, error.message)
      : "The gateway does not answer. Capture again when the connection is back.";
    this.#store.dispatch({ type: "refused", text });
    const action = /** @type {const} */ ({ label: "Try again", name: "capture" });
    const message = { level: /** @type {const} */ ("error"), text, reason, sticky: true, action };
    this.#store.dispatch({ type: "message", message });
  }

  /** @param {Blob | null} plate */
  #show(plate) {
    if (this.#picture) URL.revokeObjectURL(this.#picture);
    this.#picture = plate && URL.createObjectURL(plate);
    return this.#picture;
  }
}

/**
 * False when stopped before the second was over.
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
function aSecond(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const timer = setTimeout(() => resolve(true), 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}
