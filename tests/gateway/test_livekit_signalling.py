"""The gateway in a LiveKit room by LiveKit's own client: real signalling and media, our server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from livekit.protocol import models

from gateway.relays.backoff import Patience
from gateway.relays.leg import Hopeless
from gateway.rooms.livekit_link import MARK, Encoding, LinkLost, Token
from gateway.rooms.livekit_room import LiveKitRoom
from gateway.rooms.livekit_sdk import joined
from gateway.scenery import read_scenery
from tests.gateway.grey_camera import BLACK, PERSON
from tests.gateway.livekit_server import LiveKitServer, livekit_server
from tests.gateway.livekit_visit import Composite
from tests.gateway.loopback import Gateway, running, until

QUICKLY = Patience(first=0.05, longest=0.1, settled=0.0)
ENCODING = Encoding(1_000_000, 30)
PATIENCE = 20.0
"""Seconds, as LiveKit's client takes its time over connections that break."""


@contextlib.asynccontextmanager
async def staying(
    gateway: Gateway, server: LiveKitServer, token: str = "first"
) -> AsyncIterator[tuple[LiveKitRoom, list[str]]]:
    """In the room until the end of the block; with what people are told."""
    told, kept = list[str](), Token(token)
    room = LiveKitRoom(
        lambda: joined(server.url, kept, ENCODING),
        gateway.worker,
        scenery=read_scenery({"backdrop": "#000000"}),
        wanted=frozenset(),
        patience=QUICKLY,
        tell=told.append,
    )
    task = asyncio.create_task(room.run())
    try:
        yield room, told
    finally:
        task.cancel()
        await asyncio.wait([task])


async def one_shown(server: LiveKitServer, *, but: Composite | None = None) -> Composite:
    """The one composite in the room, once a picture of it came."""

    def there() -> bool:
        shown = server.shown
        return len(shown) == 1 and shown[0] is not but and bool(shown[0].screen.frames)

    await until(there, PATIENCE, "a composite")
    return server.shown[0]


def never_the_room(composite: Composite) -> bool:
    """Whether the corner, where nobody stands, was the backdrop in every picture."""
    return all(abs(each - BLACK) < 12 for each in composite.corners)


async def test_a_person_is_shown_matted_and_never_their_room(tmp_path: Path):
    async with running(tmp_path) as gateway, livekit_server() as server:
        ada = await server.arrive("ada", "Ada", "camera")
        async with staying(gateway, server) as (room, told):
            shown = await one_shown(server)
            assert shown.name == "Ada" + MARK
            assert abs(shown.screen.centre - BLACK) < 12, (
                "without a plate there is a backdrop alone"
            )
            await room.seats["ada"].feed.stream.plate.capture()
            ada.camera.person = True
            await until(lambda: abs(shown.screen.centre - PERSON) < 20, PATIENCE, "the person")
            assert never_the_room(shown)
            await server.depart("ada")
            await until(lambda: not server.shown, PATIENCE, "nobody's composite")
            assert not room.seats
            (visit,) = server.visits
            assert not visit.asked("leave")
        assert [each.reason for each in visit.asked("leave")] == [models.CLIENT_INITIATED]
        assert told[0] == "in the room, with 1 others"


async def test_a_camera_that_is_off_for_a_while_has_no_composite(tmp_path: Path):
    async with running(tmp_path) as gateway, livekit_server() as server:
        await server.arrive("ada", "Ada", "camera")
        async with staying(gateway, server) as (room, _):
            shown = await one_shown(server)
            stream = room.seats["ada"].feed.stream
            await server.mute("ada", True)
            await until(lambda: not server.shown, PATIENCE, "no composite")
            await server.mute("ada", False)
            again = await one_shown(server, but=shown)
            assert room.seats["ada"].feed.stream is stream
            assert never_the_room(again)


async def test_a_connection_that_breaks_is_mended_and_the_same_stream_goes_on(tmp_path: Path):
    async with running(tmp_path) as gateway, livekit_server() as server:
        ada = await server.arrive("ada", "Ada", "camera")
        async with staying(gateway, server) as (room, told):
            shown = await one_shown(server)
            stream = room.seats["ada"].feed.stream
            await stream.plate.capture()
            await server.say(refresh_token="second")
            await server.hang_up()
            again = await one_shown(server, but=shown)
            assert room.seats["ada"].feed.stream is stream
            assert stream.plate.state == "ready"
            ada.camera.person = True
            await until(lambda: abs(again.screen.centre - PERSON) < 20, PATIENCE, "the person")
            assert never_the_room(shown)
            assert never_the_room(again)
            assert set(server.tokens[1:]) == {"second"}
            assert "Ada: gone" not in told
            assert len(server.visits) == 1


async def test_who_was_sent_out_comes_again_with_the_newest_token(tmp_path: Path):
    async with running(tmp_path) as gateway, livekit_server() as server:
        await server.arrive("ada", "Ada", "camera")
        async with staying(gateway, server) as (room, told):
            shown = await one_shown(server)
            stream = room.seats["ada"].feed.stream
            await server.say(refresh_token="second")
            await server.dismiss(models.SERVER_SHUTDOWN)
            again = await one_shown(server, but=shown)
            assert never_the_room(again)
            assert room.seats["ada"].feed.stream is stream
            assert server.tokens == ["first", "second"]
            assert "LiveKit ended the connection; again in 0 s" in told


async def test_who_was_removed_does_not_come_back():
    async with livekit_server() as server:
        async with joined(server.url, Token("first"), ENCODING) as link:
            await server.dismiss(models.PARTICIPANT_REMOVED)
            with pytest.raises(Hopeless, match="removed the gateway"):
                await link.changed()
        assert server.tokens == ["first"]


async def test_an_encrypted_camera_is_not_matted_and_told_once(tmp_path: Path):
    async with running(tmp_path) as gateway, livekit_server() as server:
        await server.arrive("eve", "Eve", "camera", encrypted=True)
        async with staying(gateway, server) as (room, told):
            await server.arrive("ada", "Ada", "camera")
            shown = await one_shown(server)
            assert shown.name == "Ada" + MARK
            assert list(room.seats) == ["ada"]
            assert told.count("Eve: not matted, as their camera is end-to-end encrypted") == 1
            assert len(server.visits[0].asked("subscription")) == 1


async def test_a_track_that_is_given_up_while_it_is_published_is_taken_back():
    async with livekit_server() as server, joined(server.url, Token("first"), ENCODING) as link:
        (visit,) = server.visits
        visit.prompt.clear()
        showing = asyncio.create_task(link.showing("Ada" + MARK, 320, 240).__aenter__())
        await until(lambda: visit.asked("add_track"), PATIENCE, "the wish to publish")
        showing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await showing
        visit.prompt.set()
        await until(lambda: visit.answers and not visit.composites, PATIENCE, "no track")


async def test_a_server_that_answers_in_trouble_is_tried_again():
    async with livekit_server() as server:
        server.refusal, server.excuse = 503, "client error: 403 says somebody behind me"
        with pytest.raises(LinkLost, match="503"):
            async with joined(server.url, Token("first"), ENCODING):
                pass


async def test_who_leaves_does_not_wait_for_a_server_that_is_away(tmp_path: Path):
    async with running(tmp_path) as gateway, livekit_server() as server:
        await server.arrive("ada", "Ada", "camera")
        async with contextlib.AsyncExitStack() as stay:
            room, _ = await stay.enter_async_context(staying(gateway, server))
            await one_shown(server)
            server.refusal = 503
            await server.hang_up()
            await until(lambda: len(server.tokens) > 1, PATIENCE, "a try to come back")
            assert list(room.seats) == ["ada"], "who cannot be seen now has not left"
            # LiveKit's client would go on trying for twice as long.
            async with asyncio.timeout(PATIENCE):
                await stay.aclose()
