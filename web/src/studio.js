import { Capturing } from "./capturing.js";
import { Devices } from "./devices.js";
import { Publisher } from "./publisher.js";
import { Switching } from "./switching.js";
import { Refusal, Unreachable } from "./wire/gateway.js";
import { NotAPicture, prepare } from "./wire/picture.js";

/** @import { Backdrop, Layout, Level, Mode, Preferences } from "./types.js" */
/** @import { Gateway } from "./wire/gateway.js" */
/** @import { Store } from "./state/state.js" */

/**
 * @typedef {object} Screens where the videos are shown
 * @property {(track: MediaStreamTrack | null) => void} source
 * @property {(track: MediaStreamTrack | null) => void} composite
 */

/** @type {readonly Layout[]} */
const LAYOUTS = Object.freeze(["inset", "beside", "composite"]);
const UNLOADED = "This picture could not be used.";

/** Everything a person can do. Views call these methods and show the store's state. */
export class Studio {
  #gateway;
  #store;
  #screens;
  #publisher;
  #devices;
  #capturing;
  #switching;
  #askToken;

  /**
   * @param {Gateway} gateway
   * @param {Store} store
   * @param {Screens} screens
   * @param {(trouble: string) => Promise<string | null>} askToken
   */
  constructor(gateway, store, screens, askToken) {
    this.#gateway = gateway;
    this.#store = store;
    this.#screens = screens;
    this.#askToken = async (/** @type {Refusal} */ refusal) => {
      const token = await askToken(gateway.tokenTrouble(refusal));
      if (token) gateway.authorise(token);
      return Boolean(token);
    };
    this.#publisher = new Publisher(gateway, store, {
      onComposite: (track) => screens.composite(track),
      askToken: this.#askToken,
    });
    this.#devices = new Devices(store, {
      onSource: (track) => screens.source(track),
      onMicrophone: (track) => this.#publisher.replaceMicrophone(track),
      onCamera: (track, fits) => this.#switch(track, fits),
    });
    this.#capturing = new Capturing(store, this.#publisher);
    this.#switching = new Switching(this.#publisher, this.#capturing, () => this.#devices.camera);
  }

  /**
   * Before anything is clicked: what the gateway is, and its pictures.
   * @returns {Promise<void>}
   */
  async prepare() {
    try {
      const [capabilities, pictures] = await Promise.all([
        this.#gateway.capabilities(),
        this.#gateway.pictures(),
      ]);
      const own = this.#store.state.pictures.filter((each) => !each.built_in);
      const values = { capabilities, pictures: [...pictures, ...own] };
      this.#store.dispatch({ type: "set", values });
      const { backdrop } = this.#store.state;
      const first = values.pictures[0];
      const known = backdrop.kind !== "picture" || values.pictures.some((p) => p.id === backdrop.id);
      if (!known && first) {
        const shown = /** @type {const} */ ({ kind: "picture", id: first.id });
        this.#store.dispatch({ type: "set", values: { backdrop: shown, chosen: false } });
      }
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
      const refused = error instanceof Refusal && error.status < 500;
      if (refused && error.wantsToken && (await this.#askToken(error))) return this.prepare();
      // A proxy in front answers 502 where the gateway does not.
      const text = refused ? error.message : `${error.message} Is it running?`;
      const action = /** @type {const} */ ({ label: "Reload", name: "reload" });
      this.#store.dispatch({
        type: "message",
        message: { level: "error", text, reason: "unreachable", sticky: true, action },
      });
    }
    if (!this.#devices.allowed()) return;
    await this.#devices.list();
  }

  async start() {
    if (this.#store.state.phase !== "off") return;
    this.#store.dispatch({ type: "message", message: null });
    this.#store.dispatch({ type: "connecting" });
    if (!(await this.#devices.open())) {
      this.#store.dispatch({ type: "stopped" });
      return;
    }
    const { camera, microphone } = this.#devices;
    if (camera) await this.#publisher.start(camera, microphone);
    if (this.#store.state.phase === "off") this.#devices.close();
  }

  stop() {
    this.#capturing.clear();
    this.#publisher.stop();
    this.#devices.close();
    this.#screens.composite(null);
  }

  async retry() {
    await this.#publisher.retryNow();
  }

  async capture() {
    const { camera } = this.#devices;
    this.#store.dispatch({ type: "message", message: null });
    if (camera) await this.#capturing.run(camera);
  }

  cancelCapture() {
    this.#capturing.stop();
  }

  async forgetPlate() {
    await this.#tell(() => this.#capturing.forget());
  }

  /** @param {Backdrop} backdrop */
  async choose(backdrop) {
    this.#store.dispatch({ type: "backdrop", backdrop });
    await this.#tell(() => this.#publisher.setBackdrop(backdrop));
  }

  /** @param {Blob} file */
  async upload(file) {
    if (this.#store.state.message?.reason === "upload") this.dismiss(); // about the one before
    await this.#tell(async () => {
      try {
        const blob = await prepare(file);
        const picture = await this.#gateway.upload(blob);
        this.#publisher.keepPicture(picture.id, blob);
        const named = { ...picture, title: "Your picture" };
        this.#store.dispatch({ type: "uploaded", picture: named });
        await this.choose({ kind: "picture", id: picture.id });
      } catch (error) {
        if (error instanceof NotAPicture) this.#say("error", error.message || UNLOADED, "upload");
        else throw error;
      }
    }, "upload");
  }

  /** @param {string} id */
  async removePicture(id) {
    const { backdrop, pictures } = this.#store.state;
    if (backdrop.kind === "picture" && backdrop.id === id && pictures[0]) {
      await this.choose({ kind: "picture", id: pictures[0].id });
    }
    this.#store.dispatch({ type: "removed", id });
    await this.#tell(() => this.#gateway.removePicture(id));
  }

  /** @param {{cameraId?: string, mode?: Mode, frameRate?: number}} wanted */
  async chooseCamera(wanted) {
    this.#capturing.stop();
    await this.#devices.chooseCamera(wanted);
  }

  /** @param {string} id */
  async chooseMicrophone(id) {
    await this.#devices.chooseMicrophone(id);
  }

  toggleMute() {
    if (this.#devices.microphone) this.#devices.mute(!this.#store.state.muted);
    else this.#say("info", "No microphone is chosen. Choose one beside the camera.");
  }

  /** @param {boolean} comparing */
  compare(comparing) {
    if (this.#store.state.comparing !== comparing) {
      this.#store.dispatch({ type: "set", values: { comparing } });
    }
  }

  nextLayout() {
    const { layout } = this.#store.state.preferences;
    const next = LAYOUTS[(LAYOUTS.indexOf(layout) + 1) % LAYOUTS.length];
    this.prefer({ layout: next });
  }

  /** @param {Partial<Preferences>} values */
  prefer(values) {
    this.#store.dispatch({ type: "prefer", values });
  }

  async copyWatchLink() {
    const { stream } = this.#store.state;
    if (!stream) return;
    const link = new URL(`/src/watch.html#${encodeURIComponent(stream)}`, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      this.#say("success", "Watch link copied: whoever opens it sees your composite.");
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.#say("info", link); // the browser keeps the clipboard to itself: let it be copied by hand
    }
  }

  dismiss() {
    this.#store.dispatch({ type: "message", message: null });
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {boolean} fits
   */
  async #switch(track, fits) {
    const { plate, frameRate } = this.#store.state;
    const outcome = await this.#switching.to(track, frameRate ?? 30, fits);
    if (this.#store.state.phase === "off") return; // stopped meanwhile
    if (outcome === "anew") {
      this.#say(
        "warning",
        "The old background could not be deleted, so a new stream was started. Capture the background, and send the watch link again.",
      );
    } else if (outcome === "forgotten" && (plate.state !== "none" || plate.picture)) {
      this.#say("warning", "Another view of the room: capture the background again.");
    }
  }

  /** @param {Level} level @param {string} text @param {string} [reason] */
  #say(level, text, reason) {
    this.#store.dispatch({ type: "message", message: { level, text, reason } });
  }

  /** @param {() => Promise<void>} action @param {string} [reason] of what is said when it fails */
  async #tell(action, reason) {
    try {
      await action();
    } catch (error) {
      if (error instanceof Unreachable && this.#store.state.phase === "lost") return; // said already
      if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
      this.#say("error", error.message, reason);
    }
  }
}
