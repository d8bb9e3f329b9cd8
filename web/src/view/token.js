import { part } from "./dom.js";

/**
 * The operator's token, typed in; null when the person would rather not.
 * @param {string} [trouble] why the one before was not accepted
 * @returns {Promise<string | null>}
 */
export function askToken(trouble = "") {
  const dialog = part("token", HTMLDialogElement);
  const input = part("token-value", HTMLInputElement);
  dialog.returnValue = "";
  input.setAttribute("aria-invalid", String(trouble !== ""));
  dialog.showModal();
  // Only now, so that it is read out.
  const said = part("token-trouble", HTMLElement);
  said.textContent = trouble;
  said.hidden = trouble === "";
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
