import { ChosenBackdrop } from "./backdrop.js";
import { Backoff } from "./state/backoff.js";
import { PlateKeeper } from "./state/keeper.js";
import { Connection } from "./wire/connection.js";
import { ignoreGone, Refusal, Unreachable } from "./wire/gateway.js";
import { Meter } from "./wire/measure.js";

/** @import { Backdrop, GatewayEvent } from "./types.js" */
/** @import { Gateway } from "./wire/gateway.js" */
/** @import { Store } from "./state/state.js" */

/** Without a word from the gateway for this long, the connection counts as lost. */
const SILENCE_MS = 9000;

/**
 * @typedef {object} Surroundings
 * @property {(track: MediaStreamTrack) => void} onComposite
 * @property {(refusal: Refusal) => Promise<boolean>} askToken true when there is one to try
 */

/**
 * Keeps one stream published: connects, notices when the connection is gone, comes back by
 * itself and puts plate and backdrop back where the gateway has forgotten them.
 */
export class Publisher {
  #gateway;
  #store;
  #surroundings;
  #backoff = new Backoff();
  #meter = new Meter();
  /** @type {{camera: MediaStreamTrack, microphone: MediaStreamTrack | null} | null} */
  #tracks = null;
  /** @type {Connection | null} */
  #connection = null;
  /** @type {{stream: string, key: string} | null} */
  #known = null;
  #keeper = new PlateKeeper();
  #backdrop;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #heardAt = 0;
  /** @type {Promise<void>} */
  #leaving = Promise.resolve();

  /**
   * @param {Gateway} gateway
   * @param {Store} store
   * @param {Surroundings} surroundings
   */
  constructor(gateway, store, surroundings) {
    this.#gateway = gateway;
    this.#store = store;
    this.#surroundings = surroundings;
    this.#backdrop = new ChosenBackdrop(gateway, store, () => this.calls);
    setInterval(() => this.#tick(), 1000);
  }

  /** The stream's calls, once there is a stream. */
  get calls() {
    if (!this.#tracks || !this.#known) return null;
    return this.#gateway.stream(this.#known.stream, this.#known.key);
  }

  /**
   * @param {MediaStreamTrack} camera
   * @param {MediaStreamTrack | null} microphone
   */
  async start(camera, microphone) {
    this.#tracks = { camera, microphone };
    this.#backoff.reset();
    await this.#connect();
  }

  /**
   * Whoever starts again in this page has the same stream, so that its watch link goes on. The
   * plate does not: before a camera that was turned meanwhile it would let the room through.
   */
  stop() {
    clearTimeout(this.#retry);
    const session = this.#connection?.published?.session;
    if (this.calls && this.#known) this.#leaving = this.#leave(this.calls, session, this.#known.key);
    this.#connection?.close();
    this.#connection = null;
    this.#tracks = null;
    this.#keeper.keep(null);
    this.#store.dispatch({ type: "stopped" });
  }

  /** Do not wait for the next attempt. */
  async retryNow() {
    clearTimeout(this.#retry);
    if (this.#tracks && this.#store.state.phase === "lost") await this.#connect();
  }

  /**
   * @param {MediaStreamTrack | null} track null sends nothing until the next one comes
   * @param {number} frameRate
   */
  async replaceCamera(track, frameRate) {
    if (this.#tracks && track) this.#tracks.camera = track;
    await this.#connection?.replaceCamera(track, frameRate);
  }

  /**
   * Leave the stream as it is and publish this camera as another one, with no plate: a session
   * that took the old stream over would take its plate over as well.
   * @param {MediaStreamTrack} track
   */
  async startOver(track) {
    const session = this.#connection?.published?.session;
    if (session) this.#gateway.leave(session, this.#known?.key).catch(ignoreGone);
    this.#known = null;
    if (!this.#tracks) return;
    this.#tracks.camera = track;
    // Where there is no connection the next attempt is due anyway, and finds no stream to take up.
    if (this.#connection) await this.#connect();
  }

  /** @param {MediaStreamTrack | null} track */
  async replaceMicrophone(track) {
    if (!this.#tracks) return;
    this.#tracks.microphone = track;
    if (!this.#connection || this.#connection.hasAudio) {
      await this.#connection?.replaceMicrophone(track);
    } else if (track) {
      // Sound was not offered: a new session takes the stream over, plate and backdrop included.
      await this.#connect();
    }
  }

  /** What is restored after the gateway forgot. */
  get plate() {
    return this.#keeper.plate;
  }

  /**
   * Resolves when nothing of the plate before is on its way to the gateway any more.
   * @param {Blob | null} picture what to restore after the gateway forgot
   * @returns {Promise<void>}
   */
  async keepPlate(picture) {
    await this.#keeper.keep(picture);
  }

  /** @param {string} id @param {Blob} picture */
  keepPicture(id, picture) {
    this.#backdrop.keepPicture(id, picture);
  }

  /** @param {Backdrop} backdrop */
  async setBackdrop(backdrop) {
    await this.#backdrop.set(backdrop);
  }

  /**
   * @param {{forgetPlate: () => Promise<void>}} calls
   * @param {string | undefined} session
   * @param {string} key
   */
  async #leave(calls, session, key) {
    try {
      await this.#keeper.keep(null); // one on its way there would come after
      await calls.forgetPlate();
    } catch (error) {
      this.#known = null; // nobody knows whether the plate is gone: the next one begins without
      ignoreGone(error);
    }
    if (session) await this.#gateway.leave(session, key).catch(ignoreGone);
  }

  async #connect() {
    const tracks = this.#tracks;
    if (!tracks) return;
    clearTimeout(this.#retry);
    this.#connection?.close();
    this.#store.dispatch({ type: "connecting" });
    this.#heardAt = Date.now();
    this.#meter = new Meter();
    await this.#leaving;
    const known = this.#store.state.capabilities?.ice_servers ?? [];
    const servers = known.length ? await this.#freshServers(known) : known;
    if (this.#tracks !== tracks) return;
    // Another attempt may have begun meanwhile.
    this.#connection?.close();
    const { camera, frameRate } = this.#store.state;
    const connection = new Connection(
      servers,
      tracks,
      frameRate ?? camera?.frameRate ?? 30,
      {
        onComposite: (track) => this.#surroundings.onComposite(track),
        onEvent: (event) => this.#hear(event),
        onLost: () => this.#comeBack(),
      },
    );
    this.#connection = connection;
    try {
      const { stream, key } = await connection.publish(this.#gateway, this.#known);
      if (this.#connection !== connection) return;
      this.#known = { stream, key };
      this.#store.dispatch({ type: "set", values: { stream } });
    } catch (error) {
      if (this.#connection === connection) await this.#refused(error);
      return;
    }
    await this.#backdrop.putBack();
  }

  /**
   * The passwords of TURN servers may expire while a page is open.
   * @param {RTCIceServer[]} known
   */
  async #freshServers(known) {
    try {
      return (await this.#gateway.capabilities()).ice_servers;
    } catch (error) {
      ignoreGone(error);
      return known;
    }
  }

  /** @param {unknown} error */
  async #refused(error) {
    if (error instanceof Unreachable) return this.#comeBack();
    if (!(error instanceof Refusal)) throw error;
    if (error.wantsToken) {
      if (await this.#surroundings.askToken(error)) return this.#connect();
    } else if (error.status === 409 && this.#known) {
      this.#known = null; // the name went to somebody else: take a new one
      return this.#connect();
    } else if (error.status >= 500 || error.status === 429) {
      return this.#comeBack(error.retryAfter);
    }
    this.stop();
    const text = error.message;
    this.#store.dispatch({ type: "message", message: { level: "error", text, sticky: true } });
  }

  /** @param {number | null} [asked] seconds */
  #comeBack(asked = null) {
    this.#connection?.close();
    this.#connection = null;
    if (!this.#tracks) return;
    const wait = this.#backoff.next(asked);
    this.#store.dispatch({ type: "lost", retryAt: Date.now() + wait });
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  /** @param {GatewayEvent} event */
  #hear(event) {
    this.#heardAt = Date.now();
    const lost = this.#store.state.phase === "lost";
    this.#store.dispatch({ type: "gateway", event });
    if (event.type === "welcome") {
      this.#backoff.reset();
      if (lost) {
        const text = "Connected again.";
        this.#store.dispatch({ type: "message", message: { level: "success", text } });
      }
    } else if (event.type === "stats" && event.plate.state === "none") {
      this.#restorePlate();
    } else if (event.type === "ended") {
      this.#comeBack();
    }
  }

  /** The gateway has no plate although we captured one: it was started anew. */
  async #restorePlate() {
    const calls = this.calls;
    if (!calls || this.#store.state.capture) return;
    const error = await this.#keeper.restore(
      (plate, signal) => calls.restorePlate(plate, signal),
      () => calls.forgetPlate().catch(ignoreGone),
    );
    const passing = error instanceof Refusal && ["no-video", "busy"].includes(error.reason);
    if (error instanceof Refusal && error.status < 500 && !passing) {
      await this.#keeper.keep(null);
      const text = "The captured background could not be restored. Capture it again.";
      this.#store.dispatch({ type: "message", message: { level: "warning", text, sticky: true } });
    } else if (error && !(error instanceof Refusal || error instanceof Unreachable)) {
      throw error;
    } // else: the next statistics, in a second, bring the next attempt
  }

  async #tick() {
    const connection = this.#connection;
    if (!connection) return;
    if (Date.now() - this.#heardAt > SILENCE_MS + (this.#store.state.phase === "live" ? 0 : 6000)) {
      this.#comeBack();
      return;
    }
    if (this.#store.state.phase !== "live") return;
    const report = await connection.measure();
    if (this.#connection !== connection) return;
    const network = this.#meter.read(report.values(), performance.now());
    this.#store.dispatch({ type: "set", values: { network } });
  }
}
