import { frameRates, modeName, modes, parseMode } from "../state/modes.js";
import { collecting, currentStep } from "../state/state.js";
import { plateWords } from "../state/words.js";
import { button, fill, flag, part } from "./dom.js";

/** @import { State } from "../types.js" */
/** @import { Studio } from "../studio.js" */

/** @type {Readonly<Record<string, string>>} */
const CONNECTION = { off: "Ready", starting: "Connecting", live: "Live", lost: "Reconnecting" };

/** The top bar, the camera card and the card of the captured room. */
export class Controls {
  #camera = part("camera", HTMLSelectElement);
  #microphone = part("microphone", HTMLSelectElement);
  #resolution = part("resolution", HTMLSelectElement);
  #frameRate = part("frame-rate", HTMLSelectElement);
  #delay = part("delay", HTMLSelectElement);
  #thumbnail = part("plate-thumbnail", HTMLImageElement);
  #chip = part("plate-state", HTMLElement);

  /** @param {Studio} studio @param {() => State} state */
  connect(studio, state) {
    this.#camera.addEventListener("change", () =>
      studio.chooseCamera({ cameraId: this.#camera.value }),
    );
    this.#microphone.addEventListener("change", () =>
      studio.chooseMicrophone(this.#microphone.value),
    );
    this.#resolution.addEventListener("change", () => {
      const mode = parseMode(this.#resolution.value);
      if (mode) studio.chooseCamera({ mode });
    });
    this.#frameRate.addEventListener("change", () =>
      studio.chooseCamera({ frameRate: Number(this.#frameRate.value) }),
    );
    this.#delay.addEventListener("change", () =>
      studio.prefer({ countdown: Number(this.#delay.value) }),
    );
    button("capture").addEventListener("click", () => studio.capture());
    button("forget").addEventListener("click", () => studio.forgetPlate());
    button("watch-link").addEventListener("click", () => studio.copyWatchLink());
    button("mirror").addEventListener("click", () =>
      studio.prefer({ mirrored: !state().preferences.mirrored }),
    );
    button("statistics").addEventListener("click", () =>
      studio.prefer({ statistics: !state().preferences.statistics }),
    );
  }

  /** @param {State} state */
  render(state) {
    this.#renderTop(state);
    this.#renderCamera(state);
    this.#renderPlate(state);
    const step = currentStep(state);
    for (const [i, id] of ["step-camera", "step-capture", "step-backdrop"].entries()) {
      const card = part(id, HTMLElement);
      flag(card, "now", step === i + 1);
      flag(card, "done", step > i + 1);
    }
  }

  /** @param {State} state */
  #renderTop({ phase, stream, engine, capabilities }) {
    const connection = document.querySelector(".connection");
    if (connection instanceof HTMLElement && connection.dataset.state !== phase) {
      connection.dataset.state = phase;
      const text = connection.querySelector(".connection-text");
      if (text) text.textContent = CONNECTION[phase] ?? phase;
    }
    button("watch-link").disabled = !stream || phase === "off";
    const about = engine ?? capabilities;
    const foot = part("engine", HTMLElement);
    const text = about
      ? `${about.device_name || about.device} · ${about.backend} · ${about.weights} · Cleanplate ${about.version}`
      : "";
    if (foot.textContent !== text) foot.textContent = text;
  }

  /** @param {State} state */
  #renderCamera(state) {
    const { cameras, microphones, camera, cameraId, microphoneId, mode, frameRate } = state;
    const { capabilities } = state;
    // Every one of them opens the camera anew, in the middle of the shots.
    for (const select of [this.#camera, this.#resolution, this.#frameRate]) {
      select.disabled = collecting(state);
    }
    const recommended = capabilities?.recommended;
    const wanted = mode ?? recommended ?? { width: 640, height: 360 };
    const rate = frameRate ?? recommended?.fps ?? 30;
    const cameraOptions = cameras.map(({ id, label }) => ({ value: id, text: label }));
    if (cameraOptions.length === 0) cameraOptions.push({ value: "", text: "Default camera" });
    fill(this.#camera, cameraOptions, cameraId || (cameraOptions[0]?.value ?? ""));
    const sounds = microphones.map(({ id, label }) => ({ value: id, text: label }));
    if (sounds.length === 0) sounds.push({ value: "default", text: "Default microphone" });
    fill(this.#microphone, [{ value: "", text: "No microphone" }, ...sounds], microphoneId);
    fill(
      this.#resolution,
      modes(camera, wanted).map((each) => ({
        value: modeName(each),
        text:
          `${each.width} × ${each.height}` +
          (recommended && modeName(each) === modeName(recommended) ? " ✓" : ""),
      })),
      modeName(wanted),
    );
    fill(
      this.#frameRate,
      frameRates(camera, rate).map((each) => ({ value: String(each), text: `${each} per second` })),
      String(rate),
    );
    const summary = camera?.width ? `${camera.width} × ${camera.height} at ${Math.round(camera.frameRate)}` : "";
    const small = part("camera-summary", HTMLElement);
    if (small.textContent !== summary) small.textContent = summary;
  }

  /** @param {State} state */
  #renderPlate({ phase, plate, capture, preferences }) {
    const { label, advice, tone } = plateWords(plate);
    Object.assign(this.#chip.dataset, { tone, state: plate.state, validity: plate.validity });
    if (this.#chip.textContent !== label) this.#chip.textContent = label;
    const kept = plate.state === "ready" ? " Until then the one you see here stays in use." : "";
    const text = plate.refusal ? plate.refusal + kept : advice;
    const paragraph = part("plate-advice", HTMLElement);
    if (paragraph.textContent !== text) paragraph.textContent = text;
    this.#thumbnail.hidden = !plate.picture;
    flag(this.#thumbnail, "mirrored", preferences.mirrored);
    if (plate.picture && this.#thumbnail.src !== plate.picture) this.#thumbnail.src = plate.picture;
    if (!plate.picture) this.#thumbnail.removeAttribute("src");
    const button_ = button("capture");
    button_.disabled = phase !== "live" || capture !== null;
    const again = plate.state === "ready";
    button_.textContent = again ? "Capture again" : "Capture background";
    button_.className = again && plate.validity === "good" ? "second grow" : "primary grow";
    button("forget").hidden = !again;
    button("forget").disabled = phase !== "live" || capture !== null;
    if (this.#delay.value !== String(preferences.countdown)) {
      this.#delay.value = String(preferences.countdown);
    }
  }
}
