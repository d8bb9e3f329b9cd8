"""mediasoup: a router behind a signalling of our own (npm/mediasoup.mjs), and a client of it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from aiortc import MediaStreamTrack
from pymediasoup import AiortcHandler, Device
from pymediasoup.models.transport import DtlsParameters, IceCandidate, IceParameters
from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters
from pymediasoup.transport import Transport

from tests.sfu.install import NPM
from tests.sfu.private_network import ADDRESS
from tests.sfu.program import node, running

URL = "http://127.0.0.1:3010"


class Participant:
    """Somebody in the room: sends tracks and takes those of others."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._device = Device(handlerFactory=AiortcHandler.createFactory(tracks=[]))
        self._transports: list[Transport] = []

    async def __aenter__(self) -> "Participant":
        await self._device.load(RtpCapabilities(**await self._ask("caps")))
        return self

    async def __aexit__(self, *_: object) -> None:
        for transport in self._transports:
            await transport.close()

    async def produce(self, camera: MediaStreamTrack) -> str:
        """Send a track; returns the id under which others take it."""
        transport = await self._transport(self._device.createSendTransport)

        @transport.on("produce")
        async def _(kind: str, rtpParameters: RtpParameters, appData: Any) -> str:
            made = await self._ask(
                "produce",
                transport=transport.id,
                kind=kind,
                rtpParameters=rtpParameters.model_dump(exclude_none=True),
            )
            return str(made["id"])

        producer = await transport.produce(camera, stopTracks=False)
        return str(producer.id)

    async def consume(self, producer: str) -> MediaStreamTrack:
        """Take somebody's track."""
        transport = await self._transport(self._device.createRecvTransport)
        made = await self._ask(
            "consume",
            transport=transport.id,
            producerId=producer,
            rtpCapabilities=self._device.rtpCapabilities.model_dump(exclude_none=True),
        )
        made["rtpParameters"] = RtpParameters(**made["rtpParameters"])
        return (await transport.consume(**made)).track

    async def _transport(self, create: Any) -> Transport:
        made = await self._ask("transport")
        transport: Transport = create(
            id=made["id"],
            iceParameters=IceParameters(**made["iceParameters"]),
            iceCandidates=[IceCandidate(**each) for each in made["iceCandidates"]],
            dtlsParameters=DtlsParameters(**made["dtlsParameters"]),
            sctpParameters=None,
        )

        @transport.on("connect")
        async def _(dtlsParameters: DtlsParameters) -> None:
            await self._ask(
                "connect",
                transport=transport.id,
                dtlsParameters=dtlsParameters.model_dump(exclude_none=True),
            )

        self._transports.append(transport)
        return transport

    async def _ask(self, step: str, **body: Any) -> dict[str, Any]:
        async with self._http.post(f"{URL}/{step}", json=body) as response:
            assert response.status == 200, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer


@contextlib.asynccontextmanager
async def mediasoup(folder: Path) -> AsyncIterator[None]:
    """The router."""
    command = [node(), "mediasoup.mjs", ADDRESS]
    async with running("mediasoup", command, folder, cwd=NPM) as program:
        await program.until_ready(URL)
        yield


@contextlib.asynccontextmanager
async def participant() -> AsyncIterator[Participant]:
    """Somebody who comes into the room, and leaves at the end of the block."""
    async with aiohttp.ClientSession() as http, Participant(http) as someone:
        yield someone
