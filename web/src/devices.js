import { cameraTrouble } from "./state/words.js";
import { sameShape } from "./state/modes.js";
import * as wire from "./wire/camera.js";

/** @import { Mode } from "./types.js" */
/** @import { Store } from "./state/state.js" */

const FALLBACK = Object.freeze({ width: 640, height: 360, fps: 30 });

/**
 * @typedef {object} Listener
 * @property {(track: MediaStreamTrack, fits: boolean) => Promise<void>} onCamera another camera or
 *   mode; `fits` is whether a plate of the one before fits
 * @property {(track: MediaStreamTrack | null) => Promise<void>} onMicrophone
 * @property {(track: MediaStreamTrack | null) => void} onSource what the person may see
 */

/** The camera and the microphone in use. */
export class Devices {
  #store;
  #listener;
  /** @type {MediaStreamTrack | null} */
  camera = null;
  /** @type {MediaStreamTrack | null} */
  microphone = null;
  /** Each opening has a number: the last one wins. */
  #opening = 0;

  /**
   * @param {Store} store
   * @param {Listener} listener
   */
  constructor(store, listener) {
    this.#store = store;
    this.#listener = listener;
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#changed());
  }

  /** Open what is chosen; false where the person has to do something first (it has been said). */
  async open() {
    if (!(await this.#openCamera())) return false;
    if (this.#store.state.microphoneId) await this.#openMicrophone();
    await this.list();
    return true;
  }

  /** Whether this page may ask for a camera at all; if not, says so. */
  allowed() {
    if (wire.camerasAllowed()) return true;
    this.#complain(cameraTrouble("insecure"), "insecure");
    return false;
  }

  /** Let go of everything. */
  close() {
    this.#opening += 1;
    this.camera?.stop();
    this.microphone?.stop();
    this.camera = this.microphone = null;
    this.#listener.onSource(null);
  }

  async list() {
    this.#store.dispatch({ type: "set", values: await wire.listDevices() });
  }

  /** @param {{cameraId?: string, mode?: Mode, frameRate?: number}} wanted */
  async chooseCamera(wanted) {
    const before = this.#store.state.camera;
    this.#store.dispatch({ type: "set", values: wanted });
    if (!this.camera || !(await this.#openCamera())) return;
    const now = this.#store.state.camera;
    const fits = Boolean(before && now && before.deviceId === now.deviceId && sameShape(before, now));
    if (this.camera) await this.#listener.onCamera(this.camera, fits);
  }

  /** @param {string} microphoneId "" for none */
  async chooseMicrophone(microphoneId) {
    this.#store.dispatch({ type: "set", values: { microphoneId } });
    if (!this.camera) return;
    this.microphone?.stop();
    this.microphone = null;
    if (microphoneId) await this.#openMicrophone();
    await this.#listener.onMicrophone(this.microphone);
    await this.list();
  }

  /** @param {boolean} muted */
  mute(muted) {
    if (this.microphone) this.microphone.enabled = !muted;
    this.#store.dispatch({ type: "set", values: { muted } });
  }

  /** What to ask the camera for. */
  #wanted() {
    const { capabilities, mode, frameRate } = this.#store.state;
    const { width, height, fps } = capabilities?.recommended ?? FALLBACK;
    return { mode: mode ?? { width, height }, frameRate: frameRate ?? fps };
  }

  async #openCamera() {
    const number = (this.#opening += 1);
    const { mode, frameRate } = this.#wanted();
    const { cameraId } = this.#store.state;
    const before = this.camera;
    // A camera that is open already would be handed out again as it is, at the size it has.
    if (before && before.getSettings().deviceId === cameraId) before.stop();
    try {
      const track = await wire.openCamera(cameraId, mode, frameRate);
      if (number !== this.#opening) {
        track.stop();
        return false;
      }
      before?.stop();
      this.#use(track);
      return true;
    } catch (error) {
      if (!(error instanceof wire.CameraTrouble)) throw error;
      this.#complain(cameraTrouble(error.trouble), error.trouble);
      return false;
    }
  }

  /** @param {MediaStreamTrack} track */
  #use(track) {
    this.camera = track;
    const camera = wire.describe(track);
    this.#store.dispatch({ type: "set", values: { camera, cameraId: camera.deviceId } });
    // Not fired by our own stop(): the camera was unplugged or taken away.
    track.addEventListener("ended", () => {
      if (this.camera !== track) return;
      this.#complain(`${camera.label || "The camera"} was unplugged. Plug it in, or choose another.`, "unplugged");
    });
    this.#listener.onSource(track);
  }

  async #openMicrophone() {
    try {
      this.microphone = await wire.openMicrophone(this.#store.state.microphoneId);
      this.microphone.enabled = !this.#store.state.muted;
    } catch (error) {
      if (!(error instanceof wire.CameraTrouble)) throw error;
      this.#store.dispatch({ type: "set", values: { microphoneId: "" } });
      this.#complain(cameraTrouble(error.trouble, "microphone"), error.trouble);
    }
  }

  async #changed() {
    await this.list();
    const { cameras, cameraId, camera } = this.#store.state;
    const back = cameras.some((each) => each.id === cameraId);
    if (camera && this.camera?.readyState === "ended" && back) await this.chooseCamera({});
  }

  /** @param {string} text @param {string} reason */
  #complain(text, reason) {
    const message = { level: /** @type {const} */ ("error"), text, reason, sticky: true };
    this.#store.dispatch({ type: "message", message });
  }
}
