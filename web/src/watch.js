import { Backoff } from "./state/backoff.js";
import { gathered, hurry } from "./wire/connection.js";
import { Gateway, Refusal, Unreachable } from "./wire/gateway.js";
import { CHANNEL, decode } from "./wire/protocol.js";
import { button, part } from "./view/dom.js";
import { askToken } from "./view/token.js";

const video = part("video", HTMLVideoElement);
const status = part("status", HTMLElement);
const sound = button("sound");
const gateway = new Gateway();
const backoff = new Backoff();
const ENDED = "The stream has ended. It goes on here when it returns.";
const WAITING = "Waiting for the stream to begin…";
/** What to say while nobody publishes. */
let absence = WAITING;

/** @param {string} text "" while the stream runs */
function say(text) {
  if (status.textContent !== text) status.textContent = text;
}

/**
 * Watch until the stream is gone.
 * @param {string} stream
 * @param {RTCIceServer[]} iceServers
 */
async function watch(stream, iceServers) {
  const peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
  let session = "";
  // The gateway would hold a watcher's place until it notices that nobody is there.
  const leave = () => {
    if (session) gateway.leave(session).catch(() => {}); // gone already
    session = "";
  };
  window.addEventListener("pagehide", leave, { once: true });
  try {
    // While the stream lingers the connection stands, and would show the backdrop without a word.
    peer.createDataChannel(CHANNEL).addEventListener("message", ({ data }) => {
      const event = decode(data);
      if (event?.type !== "live") return;
      if (event.live) absence = ENDED;
      say(event.live ? "" : absence);
    });
    const media = new MediaStream();
    for (const kind of ["video", "audio"]) {
      hurry(peer.addTransceiver(kind, { direction: "recvonly" }).receiver);
    }
    peer.addEventListener("track", ({ track }) => {
      media.addTrack(track);
      if (track.kind === "audio") track.addEventListener("unmute", () => (sound.hidden = !video.muted));
    });
    await peer.setLocalDescription(await peer.createOffer());
    const answer = await gateway.watch(stream, await gathered(peer));
    session = answer.session;
    await peer.setRemoteDescription({ type: "answer", sdp: answer.answer });
    video.srcObject = media;
    await new Promise((resolve) => {
      peer.addEventListener("connectionstatechange", () => {
        if (peer.connectionState === "connected") {
          backoff.reset();
          absence = ENDED;
          say("");
        } else if (["failed", "disconnected", "closed"].includes(peer.connectionState)) {
          resolve(null);
        }
      });
    });
  } finally {
    window.removeEventListener("pagehide", leave);
    leave();
    peer.close();
  }
}

/** Watch the stream named in the address, again and again. */
async function start() {
  const stream = decodeURIComponent(location.hash.slice(1));
  if (!stream) return say("This link names no stream. Ask for a new one.");
  sound.addEventListener("click", () => {
    video.muted = false;
    sound.hidden = true;
  });
  for (;;) {
    /** @type {number | null} */
    let asked = null;
    try {
      const { ice_servers } = await gateway.capabilities();
      await watch(stream, ice_servers);
      say(absence);
    } catch (error) {
      if (error instanceof Unreachable) say("The gateway does not answer. Trying again…");
      else if (error instanceof Refusal) {
        if (error.wantsToken) {
          say(error.message);
          const token = await askToken(gateway.tokenTrouble(error));
          if (!token) return;
          gateway.authorise(token);
          say("Connecting…");
          continue;
        }
        asked = error.retryAfter;
        say(error.status === 409 ? absence : error.message);
      } else throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, backoff.next(asked)));
  }
}

await start();
