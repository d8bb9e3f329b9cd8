import { ignoreGone, Refusal, Unreachable } from "./wire/gateway.js";

/** @import { Backdrop, PictureChoice } from "./types.js" */
/** @import { Gateway } from "./wire/gateway.js" */
/** @import { Store } from "./state/state.js" */

/** The backdrop chosen here, shown by the gateway even after that has forgotten our pictures. */
export class ChosenBackdrop {
  #gateway;
  #store;
  #calls;
  /** @type {Map<string, Blob>} pictures of our own that the gateway may forget */
  #own = new Map();

  /**
   * @param {Pick<Gateway, "upload">} gateway
   * @param {Store} store
   * @param {() => Pick<ReturnType<Gateway["stream"]>, "setBackdrop"> | null} calls the stream's, once
   *   there is a stream
   */
  constructor(gateway, store, calls) {
    this.#gateway = gateway;
    this.#store = store;
    this.#calls = calls;
  }

  /** @param {string} id @param {Blob} picture */
  keepPicture(id, picture) {
    this.#own.set(id, picture);
  }

  /** @param {Backdrop} backdrop */
  async set(backdrop) {
    const calls = this.#calls();
    if (!calls) return;
    try {
      await calls.setBackdrop(backdrop);
    } catch (error) {
      const unknown = error instanceof Refusal && error.reason === "unknown-backdrop";
      if (!unknown || backdrop.kind !== "picture") throw error;
      await calls.setBackdrop(await this.#uploadAgain(backdrop));
    }
  }

  /** The page is where the backdrop is chosen: a new session shows what was chosen here. */
  async putBack() {
    try {
      await this.set(this.#store.state.backdrop);
    } catch (error) {
      if (error instanceof Unreachable) return; // and the connection will notice as well
      if (!(error instanceof Refusal)) throw error;
      const message = { level: /** @type {const} */ ("warning"), text: error.message, sticky: true };
      this.#store.dispatch({ type: "message", message });
      const first = this.#store.state.pictures.find((each) => each.built_in);
      if (error.reason !== "unknown-backdrop" || !first) return;
      /** @type {PictureChoice} */
      const backdrop = { kind: "picture", id: first.id };
      this.#store.dispatch({ type: "backdrop", backdrop });
      await this.set(backdrop).catch(ignoreGone);
    }
  }

  /**
   * @param {PictureChoice} backdrop
   * @returns {Promise<PictureChoice>}
   */
  async #uploadAgain(backdrop) {
    const blob = this.#own.get(backdrop.id);
    if (!blob) throw new Refusal(422, "unknown-backdrop", "The gateway no longer has this picture.");
    const picture = await this.#gateway.upload(blob);
    this.#own.delete(backdrop.id);
    this.#own.set(picture.id, blob);
    const title = this.#store.state.pictures.find((each) => each.id === backdrop.id)?.title;
    const named = { ...picture, title: title ?? picture.title };
    this.#store.dispatch({ type: "uploaded", picture: named, instead: backdrop.id });
    /** @type {PictureChoice} */
    const choice = { kind: "picture", id: picture.id };
    this.#store.dispatch({ type: "backdrop", backdrop: choice });
    return choice;
  }
}
