/**
 * The plate to put back where the gateway has forgotten it. A plate that is no longer kept is never
 * put back, not even by a call that was on its way: another room would be matted with it.
 */
export class PlateKeeper {
  /** @type {Blob | null} */
  #plate = null;
  /** @type {{cancel: AbortController, done: Promise<void>} | null} */
  #restore = null;

  get plate() {
    return this.#plate;
  }

  /**
   * Resolves when nothing of the plate before is on its way to the gateway any more.
   * @param {Blob | null} plate
   * @returns {Promise<void>}
   */
  async keep(plate) {
    if (plate === this.#plate) return this.#restore?.done;
    this.#plate = plate;
    this.#restore?.cancel.abort();
    await this.#restore?.done;
  }

  /**
   * Put the plate back, unless that is being done already.
   * @param {(plate: Blob, signal: AbortSignal) => Promise<void>} put
   * @param {() => Promise<void>} forget must not throw
   * @returns {Promise<unknown>} why it failed; null where it did not, or no longer matters
   */
  async restore(put, forget) {
    const plate = this.#plate;
    if (!plate || this.#restore) return null;
    const cancel = new AbortController();
    /** @type {unknown} */
    let failure = null;
    const run = async () => {
      try {
        await put(plate, cancel.signal);
      } catch (error) {
        failure = error;
      }
      // The gateway may have taken it before it heard that it should not.
      if (this.#plate !== plate) {
        failure = null;
        await forget();
      }
    };
    const done = run().finally(() => (this.#restore = null));
    this.#restore = { cancel, done };
    await done;
    return failure;
  }
}
