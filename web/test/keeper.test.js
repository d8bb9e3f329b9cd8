import assert from "node:assert/strict";
import test from "node:test";

import { PlateKeeper } from "../src/state/keeper.js";

const plate = new Blob(["plate"]);
const gone = async () => {};

test("a kept plate is put back, once at a time", async () => {
  const keeper = new PlateKeeper();
  const put = [];
  await keeper.keep(plate);
  const open = resolvers();
  const first = keeper.restore(async (each) => (put.push(each), open.promise), gone);
  assert.equal(await keeper.restore(async (each) => put.push(each), gone), null);
  open.resolve();
  assert.equal(await first, null);
  assert.deepEqual(put, [plate]);
});

test("nothing is put back where nothing is kept", async () => {
  await new PlateKeeper().restore(() => assert.fail("put"), gone);
});

test("why it failed is told, and the next attempt is free", async () => {
  const keeper = new PlateKeeper();
  await keeper.keep(plate);
  const error = new Error("no");
  assert.equal(await keeper.restore(() => Promise.reject(error), gone), error);
  assert.equal(await keeper.restore(async () => {}, gone), null);
});

test("a plate on its way back is called off, and forgotten again, before forgetting is over", async () => {
  const keeper = new PlateKeeper();
  const seen = [];
  await keeper.keep(plate);
  const restored = keeper.restore(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          seen.push("aborted");
          reject(new Error("aborted"));
        });
      }),
    async () => void seen.push("forgotten again"),
  );
  await keeper.keep(null);
  seen.push("over");
  assert.equal(await restored, null);
  assert.deepEqual(seen, ["aborted", "forgotten again", "over"]);
});

test("a plate that had arrived before it was called off is forgotten again as well", async () => {
  const keeper = new PlateKeeper();
  let forgotten = 0;
  await keeper.keep(plate);
  const open = resolvers();
  const restored = keeper.restore(() => open.promise, async () => void (forgotten += 1));
  const kept = keeper.keep(null);
  open.resolve();
  await Promise.all([kept, restored]);
  assert.equal(forgotten, 1);
});

function resolvers() {
  const found = {};
  found.promise = new Promise((resolve, reject) => Object.assign(found, { resolve, reject }));
  return found;
}
