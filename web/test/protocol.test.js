import assert from "node:assert/strict";
import test from "node:test";

import { decode } from "../src/wire/protocol.js";

const STATS = {
  type: "stats",
  fps_in: 30,
  fps_out: 29.5,
  dropped: 1,
  width: 640,
  height: 360,
  ms: { base: 20, total: 31 },
  latency_ms: 48,
  plate: { state: "ready", validity: "good", drift: 0.1 },
  quality: { level: 0, levels: 6, base_scale: 0.25, refine_pixels: 80000, looked: 0.63, width: 640, height: 360 },
  frames_in: 100,
  frames_out: 98,
};

test("a message of the gateway arrives as it was sent", () => {
  assert.deepEqual(decode(JSON.stringify(STATS)), STATS);
});

test("what is no JSON, no text or no object is left alone", () => {
  for (const data of ["{", "7", "null", "[]", '"stats"', new ArrayBuffer(2), undefined]) {
    assert.equal(decode(data), null);
  }
});

test("a message that a newer gateway might send is left alone", () => {
  assert.equal(decode('{"type":"weather","text":"rain"}'), null);
  assert.equal(decode('{"type":"constructor"}'), null);
});

test("a message without its fields is left alone", () => {
  assert.equal(decode('{"type":"notice","level":"info"}'), null);
  assert.equal(decode(JSON.stringify({ ...STATS, plate: null })), null);
  assert.equal(decode(JSON.stringify({ ...STATS, fps_in: "30" })), null);
});
