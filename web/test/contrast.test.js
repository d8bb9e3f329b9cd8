import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

const ENOUGH = 4.5; // WCAG 2.2, 1.4.3, for text of any size
const SCHEMES = ["light", "dark"];
const sheet = await readFile(new URL("../style.css", import.meta.url), "utf8");

/** A token of the style sheet: red, green and blue, 0..255. */
function colour(name, scheme) {
  const found = sheet.match(new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`));
  assert.ok(found, `--${name} has no colour`);
  const hex = found[1 + SCHEMES.indexOf(scheme)];
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** `share` of a colour over another one. */
function over(above, below, share) {
  return above.map((value, i) => share * value + (1 - share) * below[i]);
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [brighter, darker] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (brighter + 0.05) / (darker + 0.05);
}

for (const scheme of SCHEMES) {
  const of = (name) => colour(name, scheme);

  test(`what is written can be read on every surface of the ${scheme} page`, () => {
    for (const text of ["ink", "soft", "good", "warning", "bad", "accent-ink"]) {
      for (const surface of ["ground", "surface", "raised"]) {
        const found = contrast(of(text), of(surface));
        assert.ok(found >= ENOUGH, `${text} on ${surface}: ${found.toFixed(2)}`);
      }
    }
    for (const surface of ["accent", "bad"]) assert.ok(contrast(of("on-accent"), of(surface)) >= ENOUGH);
  });

  test(`states can be read on their own tints in the ${scheme} page`, () => {
    for (const tone of ["good", "warning", "bad"]) {
      const found = contrast(of(tone), over(of(tone), of("surface"), 0.16));
      assert.ok(found >= ENOUGH, `${tone} on its chip: ${found.toFixed(2)}`);
    }
    for (const tone of ["soft", "good", "warning"]) {
      const found = contrast(of(tone), over(of("ink"), of("ground"), 0.06));
      assert.ok(found >= ENOUGH, `${tone} beside the brand: ${found.toFixed(2)}`);
    }
  });
}
