// Publishes a canvas by WHIP and watches by WHEP, in whatever browser opens it. Query parameters:
// whip and whep, either may be missing, and token. Says all it sees to the server it came from.

const query = new URLSearchParams(location.search);
const canvas = document.querySelector("#camera");
const video = document.querySelector("#composite");

async function say(path, body) {
    await fetch(path, { method: "POST", body });
}

async function session(url, peer) {
    await peer.setLocalDescription(await peer.createOffer());
    if (peer.iceGatheringState !== "complete") {
        await new Promise(resolve => peer.addEventListener("icegatheringstatechange",
            () => peer.iceGatheringState === "complete" && resolve()));
    }
    for (;;) {
        const response = await fetch(url, {
            method: "POST",
            headers: {
                "Content-Type": "application/sdp",
                "Authorization": `Bearer ${query.get("token")}`,
            },
            body: peer.localDescription.sdp,
        });
        const text = await response.text();
        if (response.status === 201) {
            await peer.setRemoteDescription({ type: "answer", sdp: text });
            return;
        }
        if (response.status !== 409) throw new Error(`${url}: ${response.status} ${text}`);
        await new Promise(resolve => setTimeout(resolve, 1000));
    }
}

async function pictures(names) {
    return Promise.all(names.map(async name => createImageBitmap(await (await fetch(name)).blob())));
}

// The camera: films by name; the server says which of them runs (and holds its answer back).
async function publish(url) {
    const films = await (await fetch("films")).json();
    const reels = {};
    for (const [name, frames] of Object.entries(films)) reels[name] = await pictures(frames);
    let running = reels.empty;
    canvas.width = running[0].width;
    canvas.height = running[0].height;
    const context = canvas.getContext("2d", { alpha: false });
    let count = 0;
    const draw = () => context.drawImage(running[count++ % running.length], 0, 0);
    draw();
    setInterval(draw, 1000 / 15);
    const peer = new RTCPeerConnection();
    for (const track of canvas.captureStream(15).getTracks()) {
        peer.addTransceiver(track, {
            direction: "sendonly", sendEncodings: [{ maxBitrate: 2_000_000 }],
        });
    }
    await session(url, peer);
    for (;;) running = reels[await (await fetch("film")).text()];
}

async function watch(url) {
    const peer = new RTCPeerConnection();
    peer.addTransceiver("video", { direction: "recvonly" });
    const arrived = new Promise(resolve => peer.addEventListener("track", resolve));
    await session(url, peer);
    video.srcObject = new MediaStream([(await arrived).track]);
    await video.play();
    const copy = new OffscreenCanvas(1, 1);
    for (;;) {
        await new Promise(resolve => video.requestVideoFrameCallback(resolve));
        copy.width = video.videoWidth;
        copy.height = video.videoHeight;
        copy.getContext("2d").drawImage(video, 0, 0);
        await say("picture", await copy.convertToBlob({ type: "image/png" }));
        const stats = [...(await peer.getStats()).values()];
        const { codecId } = stats.find(each => each.type === "inbound-rtp");
        await say("codec", stats.find(each => each.id === codecId)?.mimeType ?? "");
    }
}

const failed = error => say("failure", `${error}\n${error.stack ?? ""}`);
if (query.has("whip")) publish(query.get("whip")).catch(failed);
if (query.has("whep")) watch(query.get("whep")).catch(failed);
