import assert from "node:assert/strict";
import test from "node:test";

import { Backoff } from "../src/state/backoff.js";

test("each wait is twice the one before, up to five seconds", () => {
  const backoff = new Backoff(() => 0.5);
  const waits = Array.from({ length: 6 }, () => backoff.next());
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 5000, 5000]);
});

test("after a success it begins anew", () => {
  const backoff = new Backoff(() => 0.5);
  backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

test("a gateway that asks for more time gets it", () => {
  assert.equal(new Backoff(() => 0.5).next(7), 7000);
});

test("pages that lost the same gateway do not come back at once", () => {
  assert.notEqual(new Backoff(() => 0).next(), new Backoff(() => 1).next());
});
