const FIRST_MS = 500;
const LONGEST_MS = 5_000;

/** How long to wait before each attempt: twice as long each time, never the same for everybody. */
export class Backoff {
  #attempt = 0;
  #random;

  /** @param {() => number} random 0..1 */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /**
   * @param {number | null} [asked] seconds the gateway asked for
   * @returns {number} ms
   */
  next(asked = null) {
    const plain = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    return Math.max(plain * (0.75 + 0.5 * this.#random()), (asked ?? 0) * 1000);
  }

  reset() {
    this.#attempt = 0;
  }
}
