import { CHANNEL, decode } from "./protocol.js";

/** @import { GatewayEvent } from "../types.js" */
/** @import { Gateway, Published } from "./gateway.js" */

const GATHERING_MS = 1000;

/**
 * Bits per second for a picture of good quality: about 0.1 bit per pixel, never below 1.5 Mbit/s.
 * @param {number} width
 * @param {number} height
 * @param {number} frameRate
 */
export function bitrate(width, height, frameRate) {
  const wanted = width * height * Math.min(frameRate, 60) * 0.11;
  return Math.round(Math.min(12e6, Math.max(1.5e6, wanted)));
}

/**
 * All candidates in the offer, or those of the first second.
 * @param {RTCPeerConnection} peer
 * @returns {Promise<string>} SDP
 */
export async function gathered(peer) {
  if (peer.iceGatheringState !== "complete") {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHERING_MS);
      peer.addEventListener("icegatheringstatechange", () => {
        if (peer.iceGatheringState !== "complete") return;
        clearTimeout(timer);
        resolve(null);
      });
    });
  }
  return peer.localDescription?.sdp ?? "";
}

/**
 * Show frames as they come: a composite that waits in a jitter buffer is a slow mirror.
 * @param {RTCRtpReceiver} receiver
 */
export function hurry(receiver) {
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
}

/**
 * @typedef {object} Listener
 * @property {(track: MediaStreamTrack) => void} onComposite
 * @property {(event: GatewayEvent) => void} onEvent
 * @property {(why: string) => void} onLost at most once
 */

/** One session: camera up, composite down, events on the data channel. Never comes back. */
export class Connection {
  #peer;
  #channel;
  #listener;
  #sender;
  /** @type {RTCRtpSender | null} */
  #microphone = null;
  #over = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;
  /** @type {Published | null} */
  #published = null;
  #frameRate;

  /**
   * @param {RTCIceServer[]} iceServers
   * @param {{camera: MediaStreamTrack, microphone: MediaStreamTrack | null}} tracks
   * @param {number} frameRate
   * @param {Listener} listener
   */
  constructor(iceServers, tracks, frameRate, listener) {
    this.#listener = listener;
    this.#frameRate = frameRate;
    this.#peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    // Before the offer: it is how the gateway knows that we want the composite back.
    this.#channel = this.#peer.createDataChannel(CHANNEL);
    const stream = new MediaStream([tracks.camera]);
    const video = this.#peer.addTransceiver(tracks.camera, {
      direction: "sendrecv",
      streams: [stream],
      sendEncodings: [{ ...this.#encoding(tracks.camera) }],
    });
    this.#sender = video.sender;
    hurry(video.receiver);
    if (tracks.microphone) {
      const direction = /** @type {const} */ ("sendrecv");
      const audio = this.#peer.addTransceiver(tracks.microphone, { direction, streams: [stream] });
      this.#microphone = audio.sender;
    }
    this.#listen();
  }

  /** Whether a microphone can be put in without a new session. */
  get hasAudio() {
    return this.#microphone !== null;
  }

  /** The session's URL and the stream's key, once published. */
  get published() {
    return this.#published;
  }

  /**
   * Offer, answer, connect.
   * @param {Gateway} gateway
   * @param {{stream: string, key: string} | null} known
   * @returns {Promise<Published>}
   */
  async publish(gateway, known) {
    await this.#peer.setLocalDescription(await this.#peer.createOffer());
    const published = await gateway.publish(await gathered(this.#peer), known);
    this.#published = published;
    if (this.#over) return published;
    await this.#peer.setRemoteDescription({ type: "answer", sdp: published.answer });
    await this.#keepResolution();
    return published;
  }

  /**
   * Another camera, or the same one at another size, in the same session.
   * @param {MediaStreamTrack | null} track null sends nothing
   * @param {number} frameRate
   */
  async replaceCamera(track, frameRate) {
    this.#frameRate = frameRate;
    await this.#sender.replaceTrack(track);
    await this.#keepResolution();
  }

  /** @param {MediaStreamTrack | null} track */
  async replaceMicrophone(track) {
    await this.#microphone?.replaceTrack(track);
  }

  /** @returns {Promise<RTCStatsReport>} */
  measure() {
    return this.#peer.getStats();
  }

  /** Ends quietly: `onLost` is not called. */
  close() {
    this.#over = true;
    clearTimeout(this.#patience);
    this.#channel.close();
    this.#peer.close();
  }

  #listen() {
    const peer = this.#peer;
    peer.addEventListener("track", ({ track }) => {
      if (track.kind === "video") this.#listener.onComposite(track);
    });
    peer.addEventListener("connectionstatechange", () => {
      clearTimeout(this.#patience);
      if (peer.connectionState === "failed") this.#lose("the connection failed");
      // ICE often recovers from a short gap by itself.
      if (peer.connectionState === "disconnected") {
        this.#patience = setTimeout(() => this.#lose("nothing arrives any more"), 4000);
      }
    });
    this.#channel.addEventListener("message", ({ data }) => {
      const event = decode(data);
      if (event && !this.#over) this.#listener.onEvent(event);
    });
    this.#channel.addEventListener("close", () => this.#lose("the gateway closed the connection"));
  }

  /** @param {string} why */
  #lose(why) {
    if (this.#over) return;
    this.close();
    this.#listener.onLost(why);
  }

  /** @param {MediaStreamTrack} track */
  #encoding(track) {
    const { width = 1280, height = 720 } = track.getSettings();
    const maxBitrate = bitrate(width, height, this.#frameRate);
    return { maxBitrate, maxFramerate: this.#frameRate, scaleResolutionDownBy: 1 };
  }

  /** A plate fits one resolution best: when the line is bad, frames go first. */
  async #keepResolution() {
    const track = this.#sender.track;
    if (!track) return;
    const parameters = this.#sender.getParameters();
    if (!parameters.encodings?.[0]) return; // not negotiated yet
    Object.assign(parameters.encodings[0], this.#encoding(track));
    Object.assign(parameters, { degradationPreference: "maintain-resolution" });
    await this.#sender.setParameters(parameters);
  }
}
