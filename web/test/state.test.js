import assert from "node:assert/strict";
import test from "node:test";

import { INITIAL, Store, collecting, currentStep, reduce, sameTile } from "../src/state/state.js";

const WELCOME = { type: "welcome", stream: "room", version: "1", device: "cpu", device_name: "CPU" };
const CAMERA = { deviceId: "a", label: "A", width: 640, height: 360, frameRate: 30 };

/** The state after some actions. */
function after(...actions) {
  return actions.reduce(reduce, INITIAL);
}

const live = (...actions) =>
  after(
    { type: "connecting" },
    { type: "set", values: { camera: CAMERA } },
    { type: "gateway", event: WELCOME },
    ...actions,
  );

const stats = (state, validity) => ({
  type: "gateway",
  event: { type: "stats", fps_in: 30, fps_out: 30, ms: {}, plate: { state, validity, drift: 0.2 } },
});

test("the state is never changed, only replaced", () => {
  assert(Object.isFrozen(reduce(INITIAL, { type: "connecting" })));
  assert.equal(INITIAL.phase, "off");
});

test("the welcome makes the page live", () => {
  assert.equal(live().phase, "live");
  assert.equal(live().stream, "room");
});

test("a lost connection keeps the plate's picture, the backdrop and the camera", () => {
  const state = live(
    { type: "captured", picture: "blob:plate" },
    { type: "backdrop", backdrop: { kind: "blur", radius: 30 } },
    { type: "lost", retryAt: 5 },
  );
  assert.equal(state.phase, "lost");
  assert.equal(state.retryAt, 5);
  assert.equal(state.plate.picture, "blob:plate");
  assert.deepEqual(state.backdrop, { kind: "blur", radius: 30 });
  assert.equal(state.camera, CAMERA);
  assert.equal(state.stats, null);
});

test("an attempt after a loss still looks like a loss, so that the page does not flicker", () => {
  assert.equal(live({ type: "lost", retryAt: 5 }, { type: "connecting" }).phase, "lost");
});

test("a gateway that was started anew does not take the plate's picture away", () => {
  const state = live(
    { type: "captured", picture: "blob:plate" },
    stats("none", "none"),
    { type: "gateway", event: { type: "plate", state: "none", report: null } },
  );
  assert.equal(state.plate.state, "none");
  assert.equal(state.plate.picture, "blob:plate");
});

test("the backdrop that a new stream starts with does not undo the choice", () => {
  const chosen = { kind: "colour", rgb: "#112233" };
  const state = live(
    { type: "backdrop", backdrop: chosen },
    { type: "gateway", event: { type: "backdrop", backdrop: { kind: "picture", id: "loft" } } },
  );
  assert.deepEqual(state.backdrop, chosen);
});

test("a refused capture is said, and the plate before it stays", () => {
  const state = live(
    { type: "captured", picture: "blob:old" },
    { type: "capture", step: { kind: "collecting" } },
    { type: "refused", text: "Something moved." },
  );
  assert.equal(state.capture, null);
  assert.equal(state.plate.refusal, "Something moved.");
  assert.equal(state.plate.picture, "blob:old");
});

test("a refusal is forgotten when the next capture begins", () => {
  const state = live(
    { type: "refused", text: "Too dark." },
    { type: "capture", step: { kind: "countdown", left: 3 } },
  );
  assert.equal(state.plate.refusal, null);
});

test("choosing a blur or a colour is remembered for the next time", () => {
  const state = after(
    { type: "backdrop", backdrop: { kind: "blur", radius: 40 } },
    { type: "backdrop", backdrop: { kind: "colour", rgb: "#abcdef" } },
    { type: "backdrop", backdrop: { kind: "transparent" } },
  );
  assert.equal(state.blurRadius, 40);
  assert.equal(state.colour, "#abcdef");
});

test("an upload that had to be sent again takes the place of the old one", () => {
  const picture = (id) => ({ id, title: "Mine", url: "", thumbnail: "", built_in: false });
  const state = after(
    { type: "uploaded", picture: picture("old") },
    { type: "uploaded", picture: picture("new"), instead: "old" },
  );
  assert.deepEqual(state.pictures.map((each) => each.id), ["new"]);
});

test("the steps lead from the camera over the capture to the backdrop", () => {
  const captured = [{ type: "captured", picture: "blob:plate" }, stats("ready", "good")];
  const choice = { type: "backdrop", backdrop: { kind: "blur", radius: 24 } };
  assert.equal(currentStep(INITIAL), 1);
  assert.equal(currentStep(live()), 2);
  assert.equal(currentStep(live(...captured)), 3);
  assert.equal(currentStep(live(...captured, choice)), 4);
  assert.equal(currentStep(live(...captured, choice, stats("ready", "invalid"))), 2);
});

test("stopping forgets the stream and what belongs to it", () => {
  const state = live({ type: "captured", picture: "blob:plate" }, { type: "stopped" });
  assert.deepEqual([state.phase, state.stream, state.plate.picture], ["off", null, null]);
});

test("tiles are the same by picture, else by kind", () => {
  assert(sameTile({ kind: "blur", radius: 3 }, { kind: "blur", radius: 30 }));
  assert(!sameTile({ kind: "picture", id: "a" }, { kind: "picture", id: "b" }));
  assert(!sameTile({ kind: "picture", id: "blur" }, { kind: "blur", radius: 3 }));
});

test("a view is told the state now, and then every change with the state before", () => {
  const store = new Store();
  const seen = [];
  store.show((state, before) => seen.push([before.phase, state.phase]));
  store.dispatch({ type: "connecting" });
  assert.deepEqual(seen, [["off", "off"], ["off", "starting"]]);
});

test("a plate that no longer fits is said once, until it fits again", () => {
  const captured = [{ type: "captured", picture: "blob:plate" }, stats("ready", "good")];
  const moved = live(...captured, stats("ready", "invalid"));
  assert.equal(moved.message.reason, "invalid");
  assert.match(moved.message.text, /only the backdrop/);
  assert.equal(moved.message.action.name, "capture");
  const dismissed = reduce(moved, { type: "message", message: null });
  assert.equal(reduce(dismissed, stats("ready", "invalid")).message, null);
  assert.equal(reduce(moved, stats("ready", "good")).message, null);
});

test("that the plate no longer fits does not hide what has to be answered first", () => {
  const message = { level: "error", text: "The camera was unplugged.", sticky: true };
  const state = live({ type: "message", message }, stats("ready", "invalid"));
  assert.equal(state.message, message);
  assert.equal(reduce(state, stats("ready", "good")).message, message);
  const counting = live({ type: "capture", step: { kind: "countdown", left: 3 } });
  assert.equal(reduce(counting, stats("ready", "invalid")).message, null);
});

test("the camera is held while the shots are taken, not while it is counted down", () => {
  assert(!collecting(live()));
  assert(!collecting(live({ type: "capture", step: { kind: "countdown", left: 3 } })));
  assert(collecting(live({ type: "capture", step: { kind: "collecting" } })));
});
