/** @import { GatewayEvent } from "../types.js" */

export const CHANNEL = "cleanplate";

/** The fields each message must have, with their `typeof`. */
const SHAPES = /** @type {const} */ ({
  welcome: { stream: "string", version: "string", device: "string", device_name: "string" },
  stats: { fps_in: "number", fps_out: "number", dropped: "number", ms: "object", plate: "object" },
  plate: { state: "string" },
  backdrop: { backdrop: "object" },
  live: { live: "boolean" },
  notice: { level: "string", text: "string" },
  ended: { reason: "string" },
});

/**
 * One message of the data channel; null for what this page does not understand, so that a newer
 * gateway may say more.
 * @param {unknown} data
 * @returns {GatewayEvent | null}
 */
export function decode(data) {
  if (typeof data !== "string") return null;
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof message !== "object" || message === null) return null;
  if (!Object.hasOwn(SHAPES, message.type)) return null;
  const shape = SHAPES[/** @type {keyof typeof SHAPES} */ (message.type)];
  for (const [field, type] of Object.entries(shape)) {
    if (typeof message[field] !== type || message[field] === null) return null;
  }
  return message;
}
