// Meetecho's WHEP server, with a way to make endpoints while it runs:
// POST /endpoints {"id": NAME, "room": NUMBER, "feed": PUBLISHER}
import express from "express";
import { JanusWhepServer } from "janus-whep-server";

const app = express();
app.use(["/endpoints"], express.json());
const server = new JanusWhepServer({
    janus: { address: "ws://127.0.0.1:8188" },
    rest: { app, basePath: "/whep" },
});
await server.start();
app.post("/endpoints", (request, response) => {
    server.createEndpoint({ plugin: "videoroom", ...request.body });
    response.sendStatus(201);
});
app.listen(7090, "127.0.0.1");
