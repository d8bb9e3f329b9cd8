import { currentStep } from "../state/state.js";
import { NO_LONGER_FITS } from "../state/words.js";
import { button, flag, part, setIcon } from "./dom.js";

/** @import { State } from "../types.js" */
/** @import { Studio } from "../studio.js" */

/** The two videos and everything that lies over them. */
export class Stage {
  #stage = part("stage", HTMLElement);
  #source = part("source", HTMLVideoElement);
  #composite = part("composite", HTMLVideoElement);
  #preview = part("preview", HTMLImageElement);
  #hint = part("hint", HTMLElement);
  #curtain = part("curtain", HTMLElement);
  #curtainText = part("curtain-text", HTMLElement);
  #countdown = part("countdown", HTMLElement);
  #count = part("count", HTMLElement);
  /** Whether the composite's first frame has come: until then its element is black. */
  #arrived = false;
  /** @type {State | null} */
  #state = null;

  /** @param {MediaStreamTrack | null} track */
  showSource(track) {
    this.#source.srcObject = track && new MediaStream([track]);
  }

  /** @param {MediaStreamTrack | null} track */
  showComposite(track) {
    this.#arrived = false;
    this.#composite.srcObject = track && new MediaStream([track]);
    if (this.#state) this.render(this.#state);
  }

  /** @param {Studio} studio */
  connect(studio) {
    this.#composite.addEventListener("loadeddata", () => {
      this.#arrived = true;
      if (this.#state) this.render(this.#state);
    });
    button("start").addEventListener("click", () => studio.start());
    button("retry").addEventListener("click", () => studio.retry());
    button("stop").addEventListener("click", () => studio.stop());
    button("cancel-capture").addEventListener("click", () => studio.cancelCapture());
    button("mute").addEventListener("click", () => studio.toggleMute());
    button("layout").addEventListener("click", () => studio.nextLayout());
    button("fullscreen").addEventListener("click", () => toggleFullscreen());
    this.#connectCompare(studio);
  }

  /** @param {State} state */
  render(state) {
    const { phase, capture, preferences } = state;
    this.#state = state;
    this.#stage.dataset.layout = preferences.layout;
    this.#stage.dataset.phase = phase;
    flag(this.#stage, "showing", this.#shows(state));
    flag(this.#stage, "mirrored", preferences.mirrored);
    flag(this.#stage, "comparing", state.comparing);
    part("welcome", HTMLElement).hidden = phase !== "off";
    const toolbar = part("toolbar", HTMLElement);
    toolbar.hidden = phase === "off";
    toolbar.inert = capture !== null;
    this.#renderPreview(state);
    this.#renderCurtain(state);
    this.#renderCountdown(state);
    const hint = this.#shows(state) && !capture && currentStep(state) === 2 && !state.message;
    this.#hint.hidden = !hint || preferences.layout === "beside";
    const again = state.plate.state === "ready";
    const text = again
      ? NO_LONGER_FITS
      : "Others see only your backdrop. Step out of the picture and capture your room to appear.";
    if (this.#hint.textContent !== text) this.#hint.textContent = text;
    this.#renderToolbar(state);
  }

  /** Whether there is a composite to look at. @param {State} state */
  #shows({ phase }) {
    return phase === "live" && this.#arrived;
  }

  /** @param {State} state */
  #renderPreview(state) {
    const { backdrop, pictures } = state;
    const picture = backdrop.kind === "picture" && pictures.find((each) => each.id === backdrop.id);
    this.#preview.hidden = this.#shows(state) || !picture;
    if (!this.#preview.hidden && picture && !this.#preview.src.endsWith(picture.url)) {
      this.#preview.src = picture.url;
    }
  }

  /** @param {State} state */
  #renderCurtain(state) {
    const { phase, capture, retryAt } = state;
    this.#curtain.hidden = phase === "off" || capture !== null || this.#shows(state);
    button("retry").hidden = phase !== "lost" || !retryAt;
    const seconds = retryAt && Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    let text = "Starting…";
    if (phase === "lost") text = "Connection lost. Reconnecting…";
    if (phase === "lost" && seconds) text = `Connection lost. Trying again in ${seconds} s`;
    if (this.#curtainText.textContent !== text) this.#curtainText.textContent = text;
  }

  /** @param {State} state */
  #renderCountdown({ capture }) {
    this.#countdown.hidden = capture === null;
    if (!capture) return;
    this.#countdown.dataset.step = capture.kind;
    const counting = capture.kind === "countdown";
    const count = counting ? String(capture.left) : "";
    if (this.#count.textContent !== count) {
      this.#count.textContent = count;
      restartAnimation(this.#countdown.querySelector(".run"));
    }
    part("countdown-title", HTMLElement).textContent = counting
      ? "Step out of the picture"
      : "Learning your room";
    part("countdown-text", HTMLElement).textContent = counting
      ? "Leave the camera where it is."
      : "Nothing should move for a moment.";
  }

  /** @param {State} state */
  #renderToolbar({ muted, microphoneId, comparing, preferences }) {
    const silent = muted || !microphoneId;
    const mute = button("mute");
    setIcon(mute, silent ? "mic-off" : "mic");
    mute.setAttribute("aria-pressed", String(muted));
    button("compare").setAttribute("aria-pressed", String(comparing));
    setIcon(button("layout"), preferences.layout);
    button("mirror").setAttribute("aria-pressed", String(preferences.mirrored));
    button("statistics").setAttribute("aria-pressed", String(preferences.statistics));
  }

  /** Held with a finger, the mouse, or the space bar. @param {Studio} studio */
  #connectCompare(studio) {
    const compare = button("compare");
    compare.addEventListener("pointerdown", (event) => {
      compare.setPointerCapture(event.pointerId);
      studio.compare(true);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
      compare.addEventListener(end, () => studio.compare(false));
    }
    compare.addEventListener("keydown", ({ key }) => {
      if (key === " " || key === "Enter") studio.compare(true);
    });
    compare.addEventListener("keyup", () => studio.compare(false));
    compare.addEventListener("contextmenu", (event) => event.preventDefault());
  }
}

/** The stage alone, over the whole screen. */
export async function toggleFullscreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await part("stage", HTMLElement).requestFullscreen?.();
}

/** @param {Element | null} element */
function restartAnimation(element) {
  for (const animation of element?.getAnimations() ?? []) {
    animation.cancel();
    animation.play();
  }
}
