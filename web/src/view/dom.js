/**
 * The element with this id, which the page is known to have.
 * @template {Element} E
 * @param {string} id
 * @param {new () => E} kind
 * @returns {E}
 */
export function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

/** @param {string} id */
export function button(id) {
  return part(id, HTMLButtonElement);
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {{className?: string, text?: string, data?: Record<string, string>}} [about]
 * @param {(Element | null)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, { className, text, data } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  if (data) Object.assign(element.dataset, data);
  for (const child of children) if (child) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} name @returns {SVGSVGElement} */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.classList.add("icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * Change the icon inside an element.
 * @param {Element} element
 * @param {string} name
 */
export function setIcon(element, name) {
  const use = element.querySelector("use");
  const href = `#icon-${name}`;
  if (use && use.getAttribute("href") !== href) use.setAttribute("href", href);
}

/**
 * A boolean data attribute, as CSS asks for it.
 * @param {HTMLElement} element
 * @param {string} name
 * @param {boolean} on
 */
export function flag(element, name, on) {
  if (on) element.dataset[name] = "";
  else delete element.dataset[name];
}

/**
 * Fill a select; nothing changes where the options are the same, so that an open list stays open.
 * @param {HTMLSelectElement} select
 * @param {{value: string, text: string}[]} options
 * @param {string} value
 */
export function fill(select, options, value) {
  const same =
    select.options.length === options.length &&
    options.every((o, i) => select.options[i]?.value === o.value && select.options[i]?.text === o.text);
  if (!same) {
    select.replaceChildren(
      ...options.map(({ value: v, text }) => {
        const option = make("option", { text });
        option.value = v;
        return option;
      }),
    );
  }
  if (select.value !== value) select.value = value;
}
