import assert from "node:assert/strict";
import test from "node:test";

import { NO_PLATE } from "../src/state/state.js";
import { backdropName, cameraTrouble, plateWords, rate, refusal } from "../src/state/words.js";

test("every reason of the gateway has a sentence that says what to do", () => {
  for (const reason of ["moved", "too-dark", "too-bright", "blurred", "too-few", "no-video"]) {
    assert.match(refusal(reason, "detail"), /\. \w.+\.$/);
  }
});

test("an unknown reason is told in the gateway's own words", () => {
  assert.equal(refusal("eclipse", "The sun is gone."), "The sun is gone.");
  assert.match(refusal("", ""), /again/);
});

test("trouble with a microphone does not speak of a camera", () => {
  for (const cause of ["insecure", "denied", "missing", "busy", "impossible"]) {
    assert.match(cameraTrouble(cause), /[cC]amera/);
    assert.doesNotMatch(cameraTrouble(cause, "microphone"), /[cC]amera/);
  }
});

test("a plate that no longer fits asks for another capture", () => {
  const plate = { ...NO_PLATE, state: "ready", validity: "invalid" };
  assert.equal(plateWords(plate).tone, "bad");
  assert.match(plateWords(plate).advice, /only the backdrop.*Capture the background again/);
  assert.equal(plateWords({ ...plate, validity: "good" }).label, "Good");
  assert.equal(plateWords({ ...plate, state: "collecting", validity: "none" }).label, "Being learnt");
  assert.equal(plateWords(NO_PLATE).label, "Not captured");
});

test("backdrops have names", () => {
  assert.equal(backdropName({ kind: "picture", id: "a" }, [{ id: "a", title: "Loft" }]), "Loft");
  assert.equal(backdropName({ kind: "transparent" }, []), "Keying green");
});

test("rates are read at a glance", () => {
  assert.deepEqual([rate(640.4), rate(2345)], ["640 kbit/s", "2.3 Mbit/s"]);
});
