import assert from "node:assert/strict";
import test from "node:test";

import { ChosenBackdrop } from "../src/backdrop.js";
import { Store } from "../src/state/state.js";
import { Refusal, Unreachable } from "../src/wire/gateway.js";

const blob = new Blob(["mine"]);
const beach = { id: "beach", title: "Beach", url: "", thumbnail: "", built_in: true };
const mine = { id: "mine", title: "Your picture", url: "", thumbnail: "", built_in: false };
const chosen = { kind: "picture", id: "mine" };

/** A page that shows a picture of its own, and a gateway that knows only some pictures. */
function page({ known = ["beach"], fail } = {}) {
  const store = new Store();
  store.dispatch({ type: "set", values: { pictures: [beach, mine] } });
  store.dispatch({ type: "backdrop", backdrop: chosen });
  const shown = [];
  const gateway = {
    upload: async (picture) => {
      assert.equal(picture, blob);
      known.push("again");
      return { ...mine, id: "again", title: "" };
    },
  };
  const calls = {
    setBackdrop: async (backdrop) => {
      if (fail) throw fail;
      if (!known.includes(backdrop.id)) throw new Refusal(422, "unknown-backdrop", "Unknown.");
      shown.push(backdrop.id);
    },
  };
  return { store, shown, backdrop: new ChosenBackdrop(gateway, store, () => calls) };
}

test("a picture that the gateway knows is shown", async () => {
  const { shown, backdrop } = page({ known: ["mine"] });
  await backdrop.set(chosen);
  assert.deepEqual(shown, ["mine"]);
});

test("a forgotten picture of our own is uploaded again under its title", async () => {
  const { store, shown, backdrop } = page();
  backdrop.keepPicture("mine", blob);
  await backdrop.set(chosen);
  assert.deepEqual(shown, ["again"]);
  assert.deepEqual(store.state.backdrop, { kind: "picture", id: "again" });
  const titles = store.state.pictures.map(({ id, title }) => [id, title]);
  assert.deepEqual(new Map(titles), new Map([["beach", "Beach"], ["again", "Your picture"]]));
});

test("a picture that nobody has any more gives way to the first of the gallery", async () => {
  const { store, shown, backdrop } = page();
  await backdrop.putBack();
  assert.deepEqual(shown, ["beach"]);
  assert.deepEqual(store.state.backdrop, { kind: "picture", id: "beach" });
  assert.equal(store.state.message?.level, "warning");
});

test("a choice that the gateway refuses is told to whoever chose", async () => {
  const { shown, backdrop } = page();
  await assert.rejects(backdrop.set(chosen), Refusal);
  assert.deepEqual(shown, []);
});

test("where the gateway does not answer the choice stays for the next connection", async () => {
  const { store, backdrop } = page({ fail: new Unreachable() });
  await backdrop.putBack();
  assert.deepEqual(store.state.backdrop, chosen);
  assert.equal(store.state.message, null);
});

test("a mistake of our own is not taken for an answer", async () => {
  await assert.rejects(page({ fail: new TypeError("ours") }).backdrop.putBack(), TypeError);
});

test("without a stream there is nothing to show it on", async () => {
  const { store } = page();
  const backdrop = new ChosenBackdrop({ upload: assert.fail }, store, () => null);
  await backdrop.putBack();
  assert.deepEqual(store.state.backdrop, chosen);
});
