/** @import { Device, Mode, OpenCamera } from "../types.js" */

/**
 * @typedef {"insecure" | "denied" | "missing" | "busy" | "impossible"} Cause
 */

/** The camera or the microphone cannot be had. */
export class CameraTrouble extends Error {
  /**
   * @param {Cause} cause_
   * @param {string} detail the browser's own words
   */
  constructor(cause_, detail = "") {
    super(detail);
    this.name = "CameraTrouble";
    /** @type {Cause} */
    this.trouble = cause_;
  }
}

/** @type {Readonly<Record<string, Cause>>} */
const CAUSES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "impossible",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** Whether the browser lets this page see cameras at all. */
export function camerasAllowed() {
  return window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);
}

/**
 * @param {MediaStreamConstraints} constraints
 * @returns {Promise<MediaStream>}
 */
async function open(constraints) {
  if (!camerasAllowed()) throw new CameraTrouble("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new CameraTrouble(CAUSES[error.name] ?? "busy", error.message);
  }
}

/**
 * @param {string} deviceId "" for any
 * @param {Mode} mode
 * @param {number} frameRate
 * @returns {Promise<MediaStreamTrack>}
 */
export async function openCamera(deviceId, mode, frameRate) {
  /** @type {MediaTrackConstraints} */
  const video = {
    width: { ideal: mode.width },
    height: { ideal: mode.height },
    aspectRatio: { ideal: mode.width / mode.height },
    frameRate: { ideal: frameRate, max: Math.max(frameRate, 30) },
  };
  if (deviceId) video.deviceId = { exact: deviceId };
  let stream;
  try {
    stream = await open({ video });
  } catch (error) {
    // The remembered camera may be gone: any camera is better than none.
    const gone = error instanceof CameraTrouble && error.trouble === "impossible" && deviceId;
    if (!gone) throw error;
    delete video.deviceId;
    stream = await open({ video });
  }
  const [track] = stream.getVideoTracks();
  if (!track) throw new CameraTrouble("missing");
  // With this hint alone some browsers would lower the frame rate, with "motion" the resolution;
  // the sender's degradationPreference decides.
  if ("contentHint" in track) track.contentHint = "motion";
  return track;
}

/**
 * @param {string} deviceId
 * @returns {Promise<MediaStreamTrack>}
 */
export async function openMicrophone(deviceId) {
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const chosen = deviceId === "default" ? {} : { deviceId: { exact: deviceId } };
  const [track] = (await open({ audio: { ...audio, ...chosen } })).getAudioTracks();
  if (!track) throw new CameraTrouble("missing");
  return track;
}

/**
 * @param {MediaStreamTrack} track
 * @returns {OpenCamera}
 */
export function describe(track) {
  const now = track.getSettings();
  const can = track.getCapabilities?.() ?? {};
  return {
    deviceId: now.deviceId ?? "",
    label: track.label,
    width: now.width ?? 0,
    height: now.height ?? 0,
    // Virtual cameras may leave it out or call it 0, at which Firefox would send no frame at all.
    frameRate: now.frameRate || 30,
    maxWidth: can.width?.max ?? 1920,
    maxHeight: can.height?.max ?? 1080,
    maxFrameRate: can.frameRate?.max ?? 30,
  };
}

/**
 * Cameras and microphones; labels are empty until a permission was given.
 * @returns {Promise<{cameras: Device[], microphones: Device[]}>}
 */
export async function listDevices() {
  if (!camerasAllowed()) return { cameras: [], microphones: [] };
  const devices = await navigator.mediaDevices.enumerateDevices();
  /** @param {MediaDeviceKind} kind @param {string} word */
  const of = (kind, word) =>
    devices
      .filter((device) => device.kind === kind && device.deviceId)
      .map((device, i) => ({ id: device.deviceId, label: device.label || `${word} ${i + 1}` }));
  return { cameras: of("videoinput", "Camera"), microphones: of("audioinput", "Microphone") };
}

/** What drifts after a capture, and the value that holds it. */
const LOCKS = /** @type {const} */ ([
  ["exposureMode", "exposureTime"],
  ["whiteBalanceMode", "colorTemperature"],
  ["focusMode", "focusDistance"],
]);

/**
 * Hold exposure, white balance and focus where they are, as far as this camera lets us.
 * @param {MediaStreamTrack} track
 * @returns {Promise<string[]>} the modes that were locked
 */
export async function lock(track) {
  return setModes(track, "manual");
}

/**
 * Let the camera adapt again.
 * @param {MediaStreamTrack} track
 */
export async function unlock(track) {
  await setModes(track, "continuous");
}

/**
 * @param {MediaStreamTrack} track
 * @param {"manual" | "continuous"} wanted
 */
async function setModes(track, wanted) {
  const can = /** @type {Record<string, any>} */ (track.getCapabilities?.() ?? {});
  const now = /** @type {Record<string, any>} */ (track.getSettings());
  const done = [];
  for (const [mode, value] of LOCKS) {
    if (!can[mode]?.includes?.(wanted)) continue;
    /** @type {Record<string, unknown>} */
    const set = { [mode]: wanted };
    // Without its value some cameras fall back to a default, as dark as it may be.
    if (wanted === "manual" && can[value] && now[value] !== undefined) set[value] = now[value];
    try {
      await track.applyConstraints({ ...track.getConstraints(), advanced: [set] });
      done.push(mode);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // this camera says it can, but cannot
    }
  }
  return done;
}
