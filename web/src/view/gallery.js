import { sameTile } from "../state/state.js";
import { backdropName } from "../state/words.js";
import { flag, icon, make, part } from "./dom.js";

/** @import { Backdrop, Picture, State } from "../types.js" */
/** @import { Studio } from "../studio.js" */

/**
 * The choices before the pictures.
 * @type {readonly {id: "blur" | "colour" | "transparent", label: string, symbol: string}[]}
 */
const SPECIAL = Object.freeze([
  { id: "blur", label: "Blur", symbol: "blur" },
  { id: "colour", label: "Colour", symbol: "colour" },
  { id: "transparent", label: "Keying", symbol: "keying" },
]);

/** Tiles of backdrops, their settings, and adding pictures. */
export class Gallery {
  #tiles = part("tiles", HTMLElement);
  #blur = part("blur", HTMLInputElement);
  #colour = part("colour", HTMLInputElement);
  #drop = part("drop", HTMLElement);
  #veil = part("drop-veil", HTMLElement);
  /** @type {readonly Picture[] | null} */
  #shown = null;
  /** @type {Studio | null} */
  #studio = null;
  /** @type {() => State} */
  #state;

  /** @param {() => State} state */
  constructor(state) {
    this.#state = state;
  }

  /** @param {Studio} studio */
  connect(studio) {
    this.#studio = studio;
    this.#tiles.addEventListener("change", ({ target }) => {
      if (!(target instanceof HTMLInputElement)) return;
      studio.choose(this.#choice(target.value));
      // What belongs to the choice stands below all tiles.
      for (const id of ["blur-setting", "colour-setting", "keying-note"]) {
        const setting = part(id, HTMLElement);
        if (!setting.hidden) setting.scrollIntoView({ block: "nearest" });
      }
    });
    // While the slider moves the number follows; the gateway hears of it at the end of each step.
    this.#blur.addEventListener("input", () => {
      part("blur-value", HTMLOutputElement).value = this.#blur.value;
    });
    this.#blur.addEventListener("change", () =>
      studio.choose({ kind: "blur", radius: Number(this.#blur.value) }),
    );
    this.#colour.addEventListener("change", () =>
      studio.choose({ kind: "colour", rgb: this.#colour.value }),
    );
    const upload = part("upload", HTMLInputElement);
    upload.addEventListener("change", async () => {
      const file = upload.files?.[0];
      upload.value = "";
      await this.#add(file);
    });
    this.#connectDropAndPaste();
  }

  /** The picture of a digit key, in the order of the tiles. @param {number} digit 1..9 */
  async chooseDigit(digit) {
    const picture = this.#state().pictures[digit - 1];
    if (picture) await this.#studio?.choose({ kind: "picture", id: picture.id });
  }

  /** @param {State} state */
  render(state) {
    if (this.#shown !== state.pictures) this.#rebuild(state.pictures);
    for (const input of this.#tiles.querySelectorAll("input")) {
      const chosen = sameTile(this.#choice(input.value), state.backdrop);
      if (input.checked !== chosen) input.checked = chosen;
      const tile = input.closest("label");
      if (tile) flag(tile, "chosen", chosen);
    }
    const name = backdropName(state.backdrop, state.pictures);
    const small = part("backdrop-name", HTMLElement);
    if (small.textContent !== name) small.textContent = name;
    part("blur-setting", HTMLElement).hidden = state.backdrop.kind !== "blur";
    part("colour-setting", HTMLElement).hidden = state.backdrop.kind !== "colour";
    part("keying-note", HTMLElement).hidden = state.backdrop.kind !== "transparent";
    if (document.activeElement !== this.#blur) this.#blur.value = String(state.blurRadius);
    part("blur-value", HTMLOutputElement).value = this.#blur.value;
    if (this.#colour.value !== state.colour) this.#colour.value = state.colour;
    part("colour-value", HTMLOutputElement).value = state.colour;
    const swatch = this.#tiles.querySelector(".swatch");
    if (swatch instanceof HTMLElement) swatch.style.background = state.colour;
  }

  /**
   * @param {string} value of a tile's radio button
   * @returns {Backdrop}
   */
  #choice(value) {
    const { blurRadius, colour } = this.#state();
    if (value === "blur") return { kind: "blur", radius: blurRadius };
    if (value === "colour") return { kind: "colour", rgb: colour };
    if (value === "transparent") return { kind: "transparent" };
    return { kind: "picture", id: value.slice("picture:".length) };
  }

  /** @param {readonly Picture[]} pictures */
  #rebuild(pictures) {
    this.#shown = pictures;
    const focused = document.activeElement instanceof HTMLInputElement && document.activeElement.value;
    const special = SPECIAL.map(({ id, label, symbol }) => {
      const sign =
        id === "colour"
          ? make("span", { className: "swatch" })
          : id === "transparent"
            ? make("span", { className: "green" })
            : icon(symbol);
      return tile(id, id, label, make("span", { className: "face" }, sign, make("span", { text: label })));
    });
    const tiles = pictures.map((picture, i) => {
      const image = make("img");
      image.alt = "";
      image.loading = "lazy";
      image.src = picture.thumbnail;
      const name = make("span", { className: "name", text: picture.title });
      const digit = i < 9 ? make("span", { className: "digit", text: String(i + 1) }) : null;
      const face = make("span", { className: "face" }, image, digit, name);
      const label = tile(picture.id, `picture:${picture.id}`, picture.title, face);
      if (!picture.built_in) label.append(this.#remover(picture));
      return label;
    });
    this.#tiles.replaceChildren(...special, ...tiles);
    if (focused) {
      const again = [...this.#tiles.querySelectorAll("input")].find((each) => each.value === focused);
      again?.focus();
    }
  }

  /** @param {Picture} picture */
  #remover(picture) {
    const remove = make("button", { className: "remove" }, icon("trash"));
    remove.type = "button";
    remove.setAttribute("aria-label", `Remove ${picture.title}`);
    remove.addEventListener("click", (event) => {
      event.preventDefault();
      this.#studio?.removePicture(picture.id);
    });
    return remove;
  }

  #connectDropAndPaste() {
    let depth = 0;
    /** @param {DragEvent} event */
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
    document.addEventListener("dragenter", (event) => {
      if (!carriesFiles(event)) return;
      depth += 1;
      this.#veil.hidden = false;
    });
    document.addEventListener("dragleave", (event) => {
      if (!carriesFiles(event)) return;
      depth -= 1;
      this.#veil.hidden = depth > 0 ? false : true;
    });
    document.addEventListener("dragover", (event) => {
      if (carriesFiles(event)) event.preventDefault();
    });
    document.addEventListener("drop", async (event) => {
      depth = 0;
      this.#veil.hidden = true;
      if (!carriesFiles(event)) return;
      event.preventDefault();
      await this.#add(event.dataTransfer?.files[0]);
    });
    document.addEventListener("paste", async (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      await this.#add(files.find((file) => file.type.startsWith("image/")));
    });
  }

  /** @param {File | undefined} file */
  async #add(file) {
    if (!file || !this.#studio) return;
    flag(this.#drop, "busy", true);
    try {
      await this.#studio.upload(file);
    } finally {
      flag(this.#drop, "busy", false);
    }
  }
}

/**
 * A radio button that looks like its backdrop.
 * @param {string} id
 * @param {string} value
 * @param {string} name
 * @param {Element} face
 */
function tile(id, value, name, face) {
  const input = make("input");
  input.type = "radio";
  input.name = "backdrop";
  input.value = value;
  input.setAttribute("aria-label", name);
  const label = make("label", { className: "tile", data: { testid: `backdrop-${id}` } }, input, face);
  label.title = name;
  return label;
}
