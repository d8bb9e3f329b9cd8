import assert from "node:assert/strict";
import test from "node:test";

import { Switching } from "../src/switching.js";
import { Refusal, Unreachable } from "../src/wire/gateway.js";

/** Writes down what is done, in order. */
function rehearsal({ forget = async () => {} } = {}) {
  const done = [];
  const devices = { camera: "camera" };
  const publisher = {
    replaceCamera: async (track) => void done.push(["send", track]),
    startOver: async (track) => void done.push(["start over", track]),
  };
  const capturing = {
    forget: async () => {
      done.push(["forgetting"]);
      await forget();
      done.push(["forgotten"]);
    },
  };
  const switching = new Switching(publisher, capturing, () => devices.camera);
  return { switching, done, devices };
}

test("a view that the plate fits is sent at once", async () => {
  const { switching, done } = rehearsal();
  assert.equal(await switching.to("camera", 30, true), "same");
  assert.deepEqual(done, [["send", "camera"]]);
});

test("another view is not sent before the plate is gone", async () => {
  const { switching, done } = rehearsal();
  assert.equal(await switching.to("camera", 30, false), "forgotten");
  assert.deepEqual(done, [["send", null], ["forgetting"], ["forgotten"], ["send", "camera"]]);
});

for (const error of [new Refusal(503, "engine", "no"), new Unreachable()]) {
  test(`where the plate stays (${error.name}), another stream is begun`, async () => {
    const { switching, done } = rehearsal({ forget: () => Promise.reject(error) });
    assert.equal(await switching.to("camera", 30, false), "anew");
    assert.deepEqual(done, [["send", null], ["forgetting"], ["start over", "camera"]]);
  });
}

test("a second choice waits for the first one's forgetting, and the first one is not sent", async () => {
  const { switching, done, devices } = rehearsal();
  const first = switching.to("camera", 30, false);
  devices.camera = "second";
  await Promise.all([first, switching.to("second", 30, true)]);
  assert.deepEqual(done, [["send", null], ["forgetting"], ["forgotten"], ["send", "second"]]);
});

test("a mistake in one switch does not block the next", async () => {
  const errors = [new TypeError("a mistake")];
  const { switching } = rehearsal({
    forget: async () => {
      const error = errors.pop();
      if (error) throw error;
    },
  });
  await assert.rejects(switching.to("camera", 30, false), TypeError);
  assert.equal(await switching.to("camera", 30, false), "forgotten");
});
