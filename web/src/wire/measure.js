/** @import { Network } from "../types.js" */

/** Turns the sums of `getStats()` into numbers per second. */
export class Meter {
  /** @type {{at: number, sent: number, received: number, wait: number, shown: number} | null} */
  #before = null;

  /**
   * @param {Iterable<Record<string, any>>} entries of an RTCStatsReport
   * @param {number} at ms
   * @returns {Network}
   */
  read(entries, at) {
    const now = { at, sent: 0, received: 0, wait: 0, shown: 0 };
    /** @type {Network} */
    const network = {
      sentFps: 0,
      receivedFps: 0,
      sentKbps: 0,
      receivedKbps: 0,
      sentWidth: 0,
      sentHeight: 0,
      rttMs: null,
      bufferMs: null,
      limitation: "none",
    };
    for (const entry of entries) {
      if (entry.type === "outbound-rtp" && entry.kind === "video") {
        now.sent += entry.bytesSent ?? 0;
        network.sentFps = entry.framesPerSecond ?? 0;
        network.sentWidth = entry.frameWidth ?? 0;
        network.sentHeight = entry.frameHeight ?? 0;
        network.limitation = entry.qualityLimitationReason ?? "none";
      } else if (entry.type === "inbound-rtp" && entry.kind === "video") {
        now.received += entry.bytesReceived ?? 0;
        now.wait += entry.jitterBufferDelay ?? 0;
        now.shown += entry.jitterBufferEmittedCount ?? 0;
        network.receivedFps = entry.framesPerSecond ?? 0;
      } else if (entry.type === "candidate-pair" && entry.nominated) {
        const seconds = entry.currentRoundTripTime;
        if (typeof seconds === "number") network.rttMs = seconds * 1000;
      }
    }
    const before = this.#before;
    if (before && at > before.at) {
      const seconds = (at - before.at) / 1000;
      network.sentKbps = Math.max(0, ((now.sent - before.sent) * 8) / 1000 / seconds);
      network.receivedKbps = Math.max(0, ((now.received - before.received) * 8) / 1000 / seconds);
      const shown = now.shown - before.shown;
      if (shown > 0) network.bufferMs = ((now.wait - before.wait) * 1000) / shown;
    }
    this.#before = now;
    return network;
  }
}
