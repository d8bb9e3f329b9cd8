import assert from "node:assert/strict";
import test from "node:test";

import { bitrate, gathered } from "../src/wire/connection.js";
import { Meter } from "../src/wire/measure.js";

const report = (sent, received, wait, shown) => [
  { type: "outbound-rtp", kind: "video", bytesSent: sent, framesPerSecond: 30, frameWidth: 640 },
  { type: "inbound-rtp", kind: "video", bytesReceived: received, jitterBufferDelay: wait,
    jitterBufferEmittedCount: shown },
  { type: "inbound-rtp", kind: "audio", bytesReceived: 99_999 },
  { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.012 },
];

test("sums become numbers per second", () => {
  const meter = new Meter();
  meter.read(report(0, 0, 0, 0), 0);
  const network = meter.read(report(250_000, 125_000, 0.6, 60), 2000);
  assert.equal(network.sentKbps, 1000);
  assert.equal(network.receivedKbps, 500);
  assert.equal(network.bufferMs, 10);
  assert.equal(network.rttMs, 12);
  assert.equal(network.sentWidth, 640);
});

test("the first reading claims no rates, and a restarted count none below zero", () => {
  const meter = new Meter();
  assert.equal(meter.read(report(5000, 5000, 0, 0), 0).sentKbps, 0);
  assert.equal(meter.read(report(0, 0, 0, 0), 1000).sentKbps, 0);
});

test("larger pictures may use more of the line, within limits", () => {
  assert(bitrate(1280, 720, 30) > bitrate(640, 360, 30));
  assert.equal(bitrate(160, 90, 15), 1.5e6);
  assert.equal(bitrate(3840, 2160, 60), 12e6);
});

test("an offer waits for its candidates", async () => {
  const peer = Object.assign(new EventTarget(), {
    iceGatheringState: "gathering",
    localDescription: { sdp: "early" },
  });
  const offer = gathered(peer);
  peer.iceGatheringState = "complete";
  peer.localDescription = { sdp: "whole" };
  peer.dispatchEvent(new Event("icegatheringstatechange"));
  assert.equal(await offer, "whole");
});
