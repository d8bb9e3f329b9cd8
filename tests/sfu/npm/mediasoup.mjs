// A mediasoup router with one JSON route per step of mediasoup's own protocol; port 3010.
import express from "express";
import mediasoup from "@mafalda-sfu/mediasoup";

const ip = process.argv[2];
const worker = await mediasoup.createWorker({ rtcMinPort: 40000, rtcMaxPort: 40100 });
const router = await worker.createRouter({
    mediaCodecs: [{ kind: "video", mimeType: "video/VP8", clockRate: 90000 }],
});
const transports = new Map();
const steps = {
    caps: () => router.rtpCapabilities,
    transport: async () => {
        const transport = await router.createWebRtcTransport({
            listenIps: [{ ip }], enableUdp: true, enableTcp: false,
        });
        transports.set(transport.id, transport);
        const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
        return { id, iceParameters, iceCandidates, dtlsParameters };
    },
    connect: async ({ transport, dtlsParameters }) => {
        await transports.get(transport).connect({ dtlsParameters });
        return {};
    },
    produce: async ({ transport, kind, rtpParameters }) => {
        const producer = await transports.get(transport).produce({ kind, rtpParameters });
        return { id: producer.id };
    },
    consume: async ({ transport, producerId, rtpCapabilities }) => {
        const consumer = await transports.get(transport).consume({ producerId, rtpCapabilities });
        // A key frame for who comes late, once they are connected.
        setInterval(() => consumer.closed || consumer.requestKeyFrame(), 1000).unref();
        return { id: consumer.id, producerId, kind: consumer.kind,
            rtpParameters: consumer.rtpParameters };
    },
};

const app = express();
app.use(express.json());
for (const [name, step] of Object.entries(steps)) {
    app.post(`/${name}`, async (request, response) => response.json(await step(request.body)));
}
app.get("/", (request, response) => response.sendStatus(204));
app.listen(3010, "127.0.0.1");
process.on("SIGTERM", () => {
    worker.close();
    process.exit(0);
});
