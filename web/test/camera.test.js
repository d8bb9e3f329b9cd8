import assert from "node:assert/strict";
import test from "node:test";

import { describe } from "../src/wire/camera.js";

/** @param {MediaTrackSettings} settings */
const camera = (settings) => ({ label: "Virtual", getSettings: () => settings });

test("a camera is described in its own words", () => {
  const found = describe(camera({ deviceId: "a", width: 1280, height: 720, frameRate: 24 }));
  assert.deepEqual([found.deviceId, found.width, found.height, found.frameRate], ["a", 1280, 720, 24]);
});

test("a camera that says no frame rate, or none above zero, still sends", () => {
  for (const frameRate of [undefined, 0]) assert.equal(describe(camera({ frameRate })).frameRate, 30);
});
