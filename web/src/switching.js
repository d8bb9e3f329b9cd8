import { Refusal, Unreachable } from "./wire/gateway.js";

/** @import { Capturing } from "./capturing.js" */
/** @import { Publisher } from "./publisher.js" */

/**
 * @typedef {"same" | "forgotten" | "anew"} Outcome `same`: the plate fits; `forgotten`: it is gone;
 *   `anew`: it could not be forgotten, so that another stream had to be begun
 */

/** From one camera, or one view of the room, to another; one switch after the other. */
export class Switching {
  #publisher;
  #capturing;
  #current;
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /**
   * @param {Pick<Publisher, "replaceCamera" | "startOver">} publisher
   * @param {Pick<Capturing, "forget">} capturing
   * @param {() => MediaStreamTrack | null} current the camera in use now
   */
  constructor(publisher, capturing, current) {
    this.#publisher = publisher;
    this.#capturing = capturing;
    this.#current = current;
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {number} frameRate
   * @param {boolean} fits whether a plate of the camera before fits
   * @returns {Promise<Outcome>}
   */
  to(track, frameRate, fits) {
    // A quick second choice must not overtake the forgetting of the first.
    const result = this.#last.then(() => this.#switch(track, frameRate, fits));
    this.#last = result.catch(() => {}); // whoever asked for that one is told
    return result;
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {number} frameRate
   * @param {boolean} fits
   * @returns {Promise<Outcome>}
   */
  async #switch(track, frameRate, fits) {
    if (fits) {
      await this.#replace(track, frameRate);
      return "same";
    }
    // With the old plate the new room would look like foreground: not one frame of it is sent
    // before that plate is gone, whether it was ready, being captured or being put back.
    await this.#publisher.replaceCamera(null, frameRate);
    try {
      await this.#capturing.forget();
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
      await this.#publisher.startOver(this.#current() ?? track);
      return "anew";
    }
    await this.#replace(track, frameRate);
    return "forgotten";
  }

  /** @param {MediaStreamTrack} track @param {number} frameRate */
  async #replace(track, frameRate) {
    // Meanwhile another one was chosen: that one's turn comes next.
    if (this.#current() === track) await this.#publisher.replaceCamera(track, frameRate);
  }
}
