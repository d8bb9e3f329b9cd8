/** @import { State } from "../types.js" */

const NAME = "cleanplate";

/**
 * What this browser remembers of the last visit; nothing about streams or people.
 * @returns {Partial<Pick<State, "preferences" | "cameraId" | "mode" | "frameRate" | "backdrop"
 *   | "blurRadius" | "colour" | "chosen">>}
 */
export function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "{}");
    return typeof kept === "object" && kept ? kept : {};
  } catch {
    return {}; // no storage in this window, or not ours
  }
}

/** @param {State} state @param {State} before */
export function remember(state, before) {
  const { preferences, cameraId, mode, frameRate, blurRadius, colour, chosen } = state;
  const unchanged =
    preferences === before.preferences &&
    cameraId === before.cameraId &&
    mode === before.mode &&
    frameRate === before.frameRate &&
    state.backdrop === before.backdrop;
  if (unchanged) return;
  const { backdrop, pictures } = state;
  // Uploads live as long as the stream: the next visit starts with a picture of the gallery.
  const lasting =
    backdrop.kind !== "picture" || pictures.some((p) => p.built_in && p.id === backdrop.id);
  const kept = { preferences, cameraId, mode, frameRate, blurRadius, colour };
  try {
    localStorage.setItem(NAME, JSON.stringify(lasting ? { ...kept, backdrop, chosen } : kept));
  } catch {
    // No storage in this window: the next visit starts fresh.
  }
}

/** Dark or light as chosen here, else as the system says. */
export function applyTheme() {
  const kept = themeKept();
  if (kept) document.documentElement.dataset.theme = kept;
}

/** Switch between dark and light, and remember. */
export function switchTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const now = document.documentElement.dataset.theme ?? system;
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(`${NAME}-theme`, next);
  } catch {
    // As above.
  }
}

/** @returns {"dark" | "light" | null} */
function themeKept() {
  try {
    const kept = localStorage.getItem(`${NAME}-theme`);
    return kept === "dark" || kept === "light" ? kept : null;
  } catch {
    return null;
  }
}
