import { NO_LONGER_FITS } from "./words.js";

/** @import { Backdrop, CaptureStep, GatewayEvent, Message, Picture, Plate, Preferences, State, Stats } from "../types.js" */

/** @type {Plate} */
export const NO_PLATE = Object.freeze({
  state: "none",
  validity: "none",
  drift: 0,
  report: null,
  picture: null,
  refusal: null,
});

/** @type {State} */
export const INITIAL = Object.freeze({
  phase: "off",
  stream: null,
  retryAt: null,
  engine: null,
  capabilities: null,
  cameras: Object.freeze([]),
  microphones: Object.freeze([]),
  camera: null,
  cameraId: "",
  microphoneId: "",
  muted: false,
  mode: null,
  frameRate: null,
  plate: NO_PLATE,
  capture: null,
  backdrop: /** @type {Backdrop} */ (Object.freeze({ kind: "picture", id: "loft" })),
  chosen: false,
  pictures: Object.freeze([]),
  blurRadius: 24,
  colour: "#3d6b8e",
  stats: null,
  network: null,
  comparing: false,
  preferences: Object.freeze({
    mirrored: true,
    layout: /** @type {const} */ ("inset"),
    statistics: true,
    countdown: 3,
  }),
  message: null,
});

/**
 * Everything that can happen to the state.
 * @typedef {{type: "set", values: Partial<Omit<State, "plate" | "preferences">>}} Set
 * @typedef {{type: "gateway", event: GatewayEvent}} FromGateway
 * @typedef {{type: "connecting"}} Connecting
 * @typedef {{type: "lost", retryAt: number}} Lost
 * @typedef {{type: "stopped"}} Stopped
 * @typedef {{type: "capture", step: CaptureStep | null}} Capture
 * @typedef {{type: "captured", picture: string | null}} Captured
 * @typedef {{type: "refused", text: string}} Refused
 * @typedef {{type: "forgotten"}} Forgotten
 * @typedef {{type: "backdrop", backdrop: Backdrop}} Choose
 * @typedef {{type: "uploaded", picture: Picture, instead?: string}} Uploaded
 * @typedef {{type: "removed", id: string}} Removed
 * @typedef {{type: "prefer", values: Partial<Preferences>}} Prefer
 * @typedef {{type: "message", message: Message | null}} Say
 * @typedef {Set | FromGateway | Connecting | Lost | Stopped | Capture | Captured | Refused
 *   | Forgotten | Choose | Uploaded | Removed | Prefer | Say} Action
 */

/**
 * The state after an action; never changes the one before.
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  return Object.freeze(next(state, action));
}

/**
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
function next(state, action) {
  switch (action.type) {
    case "set":
      return { ...state, ...action.values };
    case "gateway":
      return heard(state, action.event);
    case "connecting":
      return { ...state, phase: state.phase === "lost" ? "lost" : "starting", retryAt: null };
    case "lost":
      return {
        ...state,
        phase: "lost",
        retryAt: action.retryAt,
        message: state.message?.sticky ? state.message : null,
        capture: null,
        stats: null,
        network: null,
      };
    case "stopped":
      return {
        ...state,
        phase: "off",
        stream: null,
        retryAt: null,
        engine: null,
        camera: null,
        plate: NO_PLATE,
        capture: null,
        stats: null,
        network: null,
        comparing: false,
        message: state.message?.reason === "invalid" ? null : state.message,
      };
    case "capture": {
      const refusal = action.step ? null : state.plate.refusal;
      return { ...state, capture: action.step, plate: { ...state.plate, refusal } };
    }
    case "captured": {
      const validity = state.plate.validity === "none" ? "good" : state.plate.validity;
      const plate = { state: /** @type {const} */ ("ready"), picture: action.picture, validity };
      return { ...state, capture: null, plate: { ...state.plate, ...plate, refusal: null } };
    }
    case "refused":
      return { ...state, capture: null, plate: { ...state.plate, refusal: action.text } };
    case "forgotten":
      return { ...state, plate: NO_PLATE };
    case "backdrop":
      return chosen(state, action.backdrop);
    case "uploaded": {
      const kept = state.pictures.filter((each) => each.id !== action.instead);
      return { ...state, pictures: [...kept, action.picture] };
    }
    case "removed":
      return { ...state, pictures: state.pictures.filter((each) => each.id !== action.id) };
    case "prefer":
      return { ...state, preferences: { ...state.preferences, ...action.values } };
    case "message":
      return { ...state, message: action.message };
  }
}

/**
 * @param {State} state
 * @param {Backdrop} backdrop
 * @returns {State}
 */
function chosen(state, backdrop) {
  const blurRadius = backdrop.kind === "blur" ? backdrop.radius : state.blurRadius;
  const colour = backdrop.kind === "colour" ? backdrop.rgb : state.colour;
  return { ...state, backdrop, blurRadius, colour, chosen: true };
}

/**
 * @param {State} state
 * @param {GatewayEvent} event
 * @returns {State}
 */
function heard(state, event) {
  switch (event.type) {
    case "welcome":
      return { ...state, engine: event, stream: event.stream, phase: "live", retryAt: null };
    case "stats": {
      const { validity, drift } = event.plate;
      const plate = { ...state.plate, state: event.plate.state, validity, drift };
      return { ...state, stats: event, plate, message: fitting(state, event) };
    }
    case "plate": {
      const report = event.report ?? state.plate.report;
      // The picture stays when the gateway has lost the plate: it is about to be restored.
      return { ...state, plate: { ...state.plate, state: event.state, report } };
    }
    case "backdrop":
      // The page is where the choice is made: what the gateway had before must not undo it.
      return state;
    case "notice":
      return { ...state, message: { level: event.level, text: event.text } };
    case "live": // to who watches
    case "ended":
      return state;
  }
}

/**
 * What to say when the plate no longer fits, once, and until it fits again: the camera may turn
 * back by itself.
 * @param {State} state before these statistics
 * @param {Stats} stats
 * @returns {Message | null}
 */
function fitting({ message, plate, capture }, stats) {
  const invalid = stats.plate.validity === "invalid";
  if (!invalid) return message?.reason === "invalid" ? null : message;
  if (plate.validity === "invalid" || capture || message?.sticky) return message;
  const action = /** @type {const} */ ({ label: "Capture again", name: "capture" });
  return { level: "warning", text: NO_LONGER_FITS, reason: "invalid", sticky: true, action };
}

/**
 * Where somebody is on the way: 1 start the camera, 2 capture, 3 choose; 4 when all is done.
 * @param {State} state
 * @returns {1 | 2 | 3 | 4}
 */
export function currentStep(state) {
  if (state.phase === "off" || !state.camera) return 1;
  if (state.plate.state !== "ready" || state.plate.validity === "invalid") return 2;
  return state.chosen ? 4 : 3;
}

/**
 * Whether the gateway takes the shots of a plate now: the camera has to stay as it is. While it is
 * only counted down, another camera ends the countdown.
 * @param {State} state
 */
export function collecting({ capture }) {
  return capture?.kind === "collecting";
}

/**
 * Whether two choices are the same tile of the gallery.
 * @param {Backdrop} first
 * @param {Backdrop} second
 */
export function sameTile(first, second) {
  if (first.kind === "picture" && second.kind === "picture") return first.id === second.id;
  return first.kind === second.kind;
}

/**
 * Holds the one state and tells who asked.
 */
export class Store {
  #state = INITIAL;
  /** @type {((state: State, before: State) => void)[]} */
  #views = [];

  get state() {
    return this.#state;
  }

  /** @param {Action} action */
  dispatch(action) {
    const before = this.#state;
    this.#state = reduce(before, action);
    for (const view of this.#views) view(this.#state, before);
  }

  /**
   * Called now and after every change.
   * @param {(state: State, before: State) => void} view
   */
  show(view) {
    this.#views.push(view);
    view(this.#state, this.#state);
  }
}
