import { part } from "./dom.js";

/**
 * The operator's token, typed in; null when the person would rather not.
 * @returns {Promise<string | null>}
 */
export function askToken() {
  const dialog = part("token", HTMLDialogElement);
  const input = part("token-value", HTMLInputElement);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        resolve((dialog.returnValue === "ok" && input.value.trim()) || null);
        input.value = "";
      },
      { once: true },
    );
  });
}
