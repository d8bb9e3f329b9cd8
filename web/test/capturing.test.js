import assert from "node:assert/strict";
import test from "node:test";

import { Capturing } from "../src/capturing.js";
import { Store } from "../src/state/state.js";
import { Refusal, Unreachable } from "../src/wire/gateway.js";

const old = new Blob(["old"]);
const fresh = new Blob(["fresh"]);
const camera = { getCapabilities: () => ({}), getSettings: () => ({}) };

/** A live page with an older plate, about to capture without a countdown. */
function page(calls) {
  const store = new Store();
  store.dispatch({ type: "set", values: { phase: "live" } });
  store.dispatch({ type: "prefer", values: { countdown: 0 } });
  store.dispatch({ type: "captured", picture: "blob:old" });
  const publisher = {
    plate: old,
    calls: {
      capture: async () => assert.equal(publisher.plate, null, "an older plate is in keeping"),
      plate: async () => fresh,
      forgetPlate: async () => {},
      ...calls,
    },
    keepPlate: async (plate) => void (publisher.plate = plate),
  };
  return { store, publisher, capturing: new Capturing(store, publisher) };
}

test("a captured plate takes the place of the older one", async () => {
  const { store, publisher, capturing } = page();
  await capturing.run(camera);
  assert.equal(publisher.plate, fresh);
  assert.match(store.state.plate.picture, /^blob:/);
  assert.notEqual(store.state.plate.picture, "blob:old");
  assert.equal(store.state.message.level, "success");
});

test("after a refusal the older plate is in keeping again", async () => {
  const capture = () => Promise.reject(new Refusal(409, "moved", "moved"));
  const { store, publisher, capturing } = page({ capture });
  await capturing.run(camera);
  assert.equal(publisher.plate, old);
  assert.equal(store.state.plate.picture, "blob:old");
  assert.equal(store.state.message.reason, "moved");
});

test("a capture that somebody else cancelled by deleting the plate brings none back", async () => {
  const capture = () => Promise.reject(new Refusal(409, "cancelled", "deleted meanwhile"));
  const { store, publisher, capturing } = page({ capture });
  await capturing.run(camera);
  assert.equal(publisher.plate, null);
  assert.equal(store.state.message.reason, "cancelled");
});

test("without an answer nobody knows which plate the gateway has: none is kept", async () => {
  const { store, publisher, capturing } = page({ capture: () => Promise.reject(new Unreachable()) });
  await capturing.run(camera);
  assert.equal(publisher.plate, null);
  assert.equal(store.state.message.reason, "unreachable");
});

test("a capture whose picture does not arrive is a capture, without a picture", async () => {
  const { store, publisher, capturing } = page({ plate: () => Promise.reject(new Unreachable()) });
  await capturing.run(camera);
  assert.equal(publisher.plate, null);
  assert.deepEqual([store.state.plate.state, store.state.plate.picture], ["ready", null]);
  assert.equal(store.state.plate.refusal, null);
  assert.match(store.state.message.text, /captured, but/);
});

for (const outcome of ["refused", "captured"]) {
  test(`forgetting during a capture that is then ${outcome} leaves no plate`, async () => {
    const { store, publisher, capturing } = page({
      capture: async () => {
        await capturing.forget();
        if (outcome === "refused") throw new Refusal(409, "cancelled", "deleted meanwhile");
      },
    });
    await capturing.run(camera);
    assert.equal(publisher.plate, null);
    assert.deepEqual([store.state.plate.state, store.state.plate.picture], ["none", null]);
    assert.equal(store.state.message, null);
    assert.equal(store.state.capture, null);
  });
}
