import assert from "node:assert/strict";
import test from "node:test";

import { Gateway, Refusal, Unreachable, streamName } from "../src/wire/gateway.js";

/** A gateway that gives prepared answers and keeps what it was asked. */
function scripted(...answers) {
  const asked = [];
  const gateway = new Gateway(async (path, init) => {
    asked.push({ path, ...init });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { gateway, asked };
}

const CREATED = new Response("answer", {
  status: 201,
  headers: {
    Location: "/whip/room-7/session-1",
    Link: '<stun:example>; rel="ice-server", </streams/room-7>; rel="urn:cleanplate:stream"',
    "Cleanplate-Key": "secret",
  },
});

test("publishing gives the answer, the stream's name and its key", async () => {
  const { gateway, asked } = scripted(CREATED.clone());
  assert.deepEqual(await gateway.publish("offer", null), {
    answer: "answer",
    session: "/whip/room-7/session-1",
    stream: "room-7",
    key: "secret",
  });
  assert.equal(asked[0].path, "/whip");
  assert.equal(asked[0].headers["Content-Type"], "application/sdp");
  assert.equal(asked[0].headers["Cleanplate-Key"], undefined);
});

test("publishing again names the stream and brings its key", async () => {
  const { gateway, asked } = scripted(CREATED.clone());
  await gateway.publish("offer", { stream: "room-7", key: "secret" });
  assert.equal(asked[0].path, "/whip/room-7");
  assert.equal(asked[0].headers["Cleanplate-Key"], "secret");
});

test("the name is found in the location where there is no link", async () => {
  const headers = { Location: "/whip/room-8/session-2" };
  const { gateway } = scripted(new Response("answer", { status: 201, headers }));
  assert.equal((await gateway.publish("offer", null)).stream, "room-8");
});

test("a refusal carries the reason for programs and the detail for people", async () => {
  const problem = JSON.stringify({ status: 409, reason: "moved", detail: "Somebody moved." });
  const headers = { "Content-Type": "application/problem+json", "Retry-After": "3" };
  const { gateway } = scripted(new Response(problem, { status: 409, headers }));
  await assert.rejects(gateway.stream("room", "key").capture(), (error) => {
    assert(error instanceof Refusal);
    assert.deepEqual(
      [error.status, error.reason, error.message, error.retryAfter],
      [409, "moved", "Somebody moved.", 3],
    );
    return true;
  });
});

test("an answer that is no problem document is a refusal all the same", async () => {
  const { gateway } = scripted(new Response("<h1>Bad gateway</h1>", { status: 502 }));
  await assert.rejects(gateway.capabilities(), { status: 502, reason: "", retryAfter: null });
});

test("no answer at all is told apart from a refusal", async () => {
  const { gateway } = scripted(new TypeError("Failed to fetch"));
  await assert.rejects(gateway.capabilities(), Unreachable);
});

test("a token is sent with every call once it is known", async () => {
  const { gateway, asked } = scripted(Response.json({ backdrops: [] }));
  gateway.authorise("operator");
  await gateway.pictures();
  assert.equal(asked[0].headers.Authorization, "Bearer operator");
});

test("only somebody who brought a token hears that it was not accepted", async () => {
  const problem = { reason: "token", detail: "This server does not know this token." };
  const { gateway } = scripted(Response.json(problem, { status: 401 }));
  const refusal = await gateway.pictures().catch((error) => error);
  assert.equal(gateway.tokenTrouble(refusal), "");
  gateway.authorise("wrong");
  assert.match(gateway.tokenTrouble(refusal), /not accepted.*does not know this token/);
});

test("a token is asked for only where one would help", () => {
  const wanted = /** @type {const} */ ([
    [401, "token"],
    [401, "expired"],
    [401, ""],
    [403, "scope"],
    [403, "origin"],
    [403, "key"],
    [403, ""],
    [409, "scope"],
  ]).filter(([status, reason]) => new Refusal(status, reason, "No.").wantsToken);
  assert.deepEqual(wanted, [
    [401, "token"],
    [401, "expired"],
    [401, ""],
    [403, "scope"],
  ]);
});

test("the plate is restored as the picture it came as", async () => {
  const { gateway, asked } = scripted(Response.json({}));
  await gateway.stream("room", "key").restorePlate(new Blob(["png"], { type: "image/png" }));
  assert.deepEqual([asked[0].method, asked[0].path], ["PUT", "/streams/room/plate"]);
  assert.equal(asked[0].headers["Content-Type"], "image/png");
});

test("a stream's name is read from among other links", () => {
  assert.equal(streamName("</streams/a%20b>; rel=urn:cleanplate:stream"), "a b");
  assert.equal(streamName('</other>; rel="next"'), null);
  assert.equal(streamName(null), null);
});

test("a plate on its way back can be called off", async () => {
  const { gateway, asked } = scripted(Response.json({}));
  const cancel = new AbortController();
  await gateway.stream("room", "key").restorePlate(new Blob(["png"]), cancel.signal);
  assert.equal(asked[0].signal.aborted, false);
  cancel.abort();
  assert.equal(asked[0].signal.aborted, true);
});

test("a watcher leaves its session, even when the page goes away", async () => {
  const { gateway, asked } = scripted(new Response(null));
  await gateway.leave("/whep/room/session-3");
  assert.deepEqual(
    [asked[0].method, asked[0].path, asked[0].keepalive],
    ["DELETE", "/whep/room/session-3", true],
  );
});
