import assert from "node:assert/strict";
import test from "node:test";

import { frameRates, modeName, modes, parseMode, sameShape } from "../src/state/modes.js";

const CAMERA = { maxWidth: 1280, maxHeight: 720, maxFrameRate: 30 };

test("only what the camera can do is offered", () => {
  assert.deepEqual(modes(CAMERA, null).map(modeName), ["640x360", "854x480", "960x540", "1280x720"]);
  assert.deepEqual(frameRates(CAMERA, null), [15, 20, 24, 30]);
});

test("before a camera is open everything is offered", () => {
  assert.equal(modes(null, null).at(-1)?.width, 1920);
  assert.equal(frameRates(null, null).at(-1), 60);
});

test("what is wanted is offered, in its place, even where it is unusual", () => {
  const wanted = { width: 800, height: 450 };
  assert.deepEqual(modes(CAMERA, wanted).map(modeName)[1], "800x450");
  assert.deepEqual(frameRates(CAMERA, 12), [12, 15, 20, 24, 30]);
});

test("a mode survives its name", () => {
  assert.deepEqual(parseMode(modeName({ width: 640, height: 360 })), { width: 640, height: 360 });
  assert.equal(parseMode(""), null);
});

test("a plate fits another size of the same shape", () => {
  assert(sameShape({ width: 640, height: 360 }, { width: 1280, height: 720 }));
  assert(sameShape({ width: 854, height: 480 }, { width: 1280, height: 720 }));
  assert(!sameShape({ width: 640, height: 480 }, { width: 1280, height: 720 }));
});
