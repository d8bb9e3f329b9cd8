/** @import { Backdrop, Plate, Picture } from "../types.js" */
/** @import { Cause } from "../wire/camera.js" */

/** What to say where a camera or microphone cannot be had. @type {Record<Cause, string>} */
const TROUBLE = {
  insecure:
    "Cameras need a secure page: open this address with https://, or on this computer as localhost.",
  denied:
    "The camera is blocked for this page. Allow it in the browser's address bar, then start again.",
  missing: "No camera was found. Plug one in, then start again.",
  busy: "The camera is in use by another program. Close that program, then start again.",
  impossible: "This camera cannot do that. Choose another camera or a smaller resolution.",
};

/** @param {Cause} cause @param {"camera" | "microphone"} which */
export function cameraTrouble(cause, which = "camera") {
  if (which === "camera") return TROUBLE[cause];
  return TROUBLE[cause]
    .replaceAll("camera", "microphone")
    .replaceAll("Camera", "Microphone")
    .replace("a smaller resolution", "none");
}

/** Why a capture was refused, by the gateway's reason. @type {Record<string, string>} */
const REFUSED = {
  moved: "Something moved while the background was captured. Step out completely and keep the camera still.",
  "too-dark": "The picture is too dark. Switch on a light, then capture again.",
  "too-bright": "The picture is too bright. Turn the camera away from the window, then capture again.",
  blurred: "The picture is blurred. Let the camera focus, or clean its lens, then capture again.",
  "too-few": "Too few frames arrived. Wait until the picture runs smoothly, then capture again.",
  "no-video": "No video arrives at the gateway yet. Wait a moment, then capture again.",
};

/**
 * @param {string} reason
 * @param {string} detail the gateway's own words
 */
export function refusal(reason, detail) {
  return REFUSED[reason] ?? (detail || "The background could not be captured. Try again.");
}

/** The gateway shows no camera where the plate is not the room's: better nobody than the room. */
export const NO_LONGER_FITS =
  "The camera has moved: viewers see only the backdrop. Capture the background again.";

/**
 * The plate's state in a word or two, with a tone for its colour.
 * @param {Plate} plate
 * @returns {{label: string, advice: string, tone: "quiet" | "good" | "warning" | "bad"}}
 */
export function plateWords(plate) {
  if (plate.state === "none") {
    return { label: "Not captured", advice: "Until then, others see only your backdrop.", tone: "quiet" };
  }
  if (plate.state === "collecting") {
    return { label: "Being learnt", advice: "Stay out of the picture for a moment.", tone: "quiet" };
  }
  switch (plate.validity) {
    case "drifting":
      return {
        label: "Drifting",
        advice: "The light or the camera has changed a little. Capture again when you can.",
        tone: "warning",
      };
    case "invalid":
      return {
        label: "No longer fits",
        advice: `${NO_LONGER_FITS} Or turn the camera back to where it was.`,
        tone: "bad",
      };
    default:
      return {
        label: "Good",
        advice: "Keep the camera where it is. If the light changes, capture again.",
        tone: "good",
      };
  }
}

/**
 * A backdrop's name for people.
 * @param {Backdrop} backdrop
 * @param {readonly Picture[]} pictures
 */
export function backdropName(backdrop, pictures) {
  switch (backdrop.kind) {
    case "blur":
      return "Blurred room";
    case "colour":
      return "Colour";
    case "transparent":
      return "Keying green";
    case "picture":
      return pictures.find((each) => each.id === backdrop.id)?.title ?? "Picture";
  }
}

/** Stages of the engine, in the order of a frame's way. @type {readonly [string, string][]} */
export const STAGES = Object.freeze([
  ["upload", "Upload"],
  ["plate", "Plate"],
  ["base", "Matting"],
  ["refine", "Refining"],
  ["composite", "Compositing"],
  ["download", "Download"],
]);

/** @param {number} kbps */
export function rate(kbps) {
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
}
