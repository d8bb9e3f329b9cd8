/** @import { Mode, OpenCamera } from "../types.js" */

/** @type {readonly Mode[]} */
const SIZES = Object.freeze([
  { width: 640, height: 360 },
  { width: 854, height: 480 },
  { width: 960, height: 540 },
  { width: 1280, height: 720 },
  { width: 1920, height: 1080 },
]);
const RATES = Object.freeze([15, 20, 24, 30, 60]);

/**
 * The resolutions to offer: what the camera can do, and what is wanted even where it says no.
 * @param {OpenCamera | null} camera
 * @param {Mode | null} wanted
 * @returns {Mode[]}
 */
export function modes(camera, wanted) {
  const fits = SIZES.filter(
    (size) => !camera || (size.width <= camera.maxWidth && size.height <= camera.maxHeight),
  );
  if (wanted && !fits.some((size) => size.width === wanted.width && size.height === wanted.height)) {
    fits.push(wanted);
  }
  return fits.sort((a, b) => a.width * a.height - b.width * b.height);
}

/**
 * The frame rates to offer.
 * @param {OpenCamera | null} camera
 * @param {number | null} wanted
 * @returns {number[]}
 */
export function frameRates(camera, wanted) {
  const fits = RATES.filter((rate) => !camera || rate <= camera.maxFrameRate + 0.5);
  if (wanted && !fits.includes(wanted)) fits.push(wanted);
  return fits.sort((a, b) => a - b);
}

/** @param {Mode} mode */
export function modeName(mode) {
  return `${mode.width}x${mode.height}`;
}

/**
 * @param {string} name
 * @returns {Mode | null}
 */
export function parseMode(name) {
  const [width, height] = name.split("x").map(Number);
  return width && height ? { width, height } : null;
}

/**
 * Whether a plate of the one fits the other: the same part of the room, at another size.
 * @param {Mode} first
 * @param {Mode} second
 */
export function sameShape(first, second) {
  return Math.abs(first.width / first.height - second.width / second.height) < 0.01;
}
