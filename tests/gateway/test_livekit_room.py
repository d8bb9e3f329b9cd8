"""The gateway in a LiveKit room: a scripted room and engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc

from gateway.relays.backoff import Patience
from gateway.relays.calls import CallFailed
from gateway.rooms.livekit_link import MARK
from gateway.rooms.livekit_media import upright
from gateway.rooms.livekit_room import LiveKitRoom
from gateway.scenery import read_scenery
from tests.gateway.grey_camera import BLACK, PERSON
from tests.gateway.loopback import Gateway, running, until
from tests.gateway.scripted_livekit import ScriptedLiveKit

QUICKLY = Patience(first=0.05, longest=0.1, settled=0.0)


@contextlib.asynccontextmanager
async def staying(
    gateway: Gateway, server: ScriptedLiveKit, *wanted: str
) -> AsyncIterator[LiveKitRoom]:
    room = LiveKitRoom(
        server.join,
        gateway.worker,
        scenery=read_scenery({"backdrop": "#000000"}),
        wanted=frozenset(wanted),
        patience=QUICKLY,
        tell=lambda line: None,
    )
    task = asyncio.create_task(room.run())
    try:
        yield room
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_participant_is_shown_matted_and_keeps_the_plate_when_the_room_is_lost(
    tmp_path: Path,
):
    server = ScriptedLiveKit()
    server.arrive("ada", "Ada", "camera")
    async with running(tmp_path) as gateway, staying(gateway, server) as room:
        await until(lambda: server.shown and server.shown[0].screen.count > 3, what="a picture")
        shown = server.shown[0]
        assert shown.name == "Ada" + MARK
        await until(lambda: abs(shown.screen.corner - BLACK) < 12, what="the backdrop alone")
        assert abs(shown.screen.centre - BLACK) < 12
        stream = room.seats["ada"].feed.stream
        await stream.plate.capture()
        server.drop()
        await until(lambda: server.shown and server.shown[0] is not shown, what="another track")
        assert room.seats["ada"].feed.stream is stream
        assert stream.plate.state == "ready"
        next(reversed(server.cameras.values())).person = True
        again = server.shown[0].screen
        await until(lambda: again.frames and abs(again.centre - PERSON) < 20, what="the person")
        assert all(abs(float(f[4:24, 4:24].mean()) - BLACK) < 12 for f in again.frames)
    assert server.shown == []


async def test_only_cameras_of_those_who_are_wanted_are_matted_and_never_composites(
    tmp_path: Path,
):
    server = ScriptedLiveKit()
    server.arrive("ada", "Ada", "camera")
    server.arrive("bot", "Grace", f"Ada{MARK}")
    async with running(tmp_path) as gateway, staying(gateway, server, "Grace", "eve") as room:
        server.arrive("eve", "Eve", "camera")
        await until(lambda: server.shown, what="a composite")
        assert list(room.seats) == ["eve"]
        server.switch("eve")
        await until(lambda: not server.shown, what="no composite while the camera is off")
        assert list(room.seats) == ["eve"], "the stream, and its plate, wait for the camera"
        server.depart("eve")
        await until(lambda: not room.seats, what="nobody")


async def test_a_backdrop_that_was_taken_away_is_told_and_others_go_on(tmp_path: Path):
    server, told = ScriptedLiveKit(), list[str]()
    server.arrive("ada", "Ada", "camera")
    async with running(tmp_path) as gateway, staying(gateway, server) as room:
        await until(lambda: server.shown, what="Ada's composite")
        room._scenery, room._tell = read_scenery({"backdrop": "gone"}), told.append
        server.arrive("grace", "Grace", "camera")
        await until(lambda: told, what="a line")
        assert told == ["Grace: no backdrop or plate is called gone any more"]
        before = server.shown[0].screen.count
        await until(lambda: server.shown and server.shown[0].screen.count > before + 5)


async def test_a_stream_is_let_go_while_the_camera_is_off_and_not_taken_back(tmp_path: Path):
    server = ScriptedLiveKit()
    server.arrive("ada", "Ada", "camera")
    async with running(tmp_path) as gateway, staying(gateway, server) as room:
        await until(lambda: server.shown, what="a composite")
        stream = room.seats["ada"].feed.stream
        server.switch("ada")
        await until(lambda: not server.shown, what="no composite while the camera is off")
        page = gateway.client()
        async with asyncio.timeout(8):
            await page.publish(f"/whip/{stream.name}", key=stream.key)
        assert not room.seats
        server.switch("ada", "camera")
        server.arrive("grace", "Grace", "camera")
        await until(lambda: server.shown, what="a composite of Grace")
        assert [each.name for each in server.shown] == ["Grace" + MARK]
        await page.video(3)


async def test_a_seat_that_dies_is_logged_and_lives_again_with_the_next_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    def tell(line: str) -> None:
        if "again in" in line:
            raise BrokenPipeError("nobody reads what is told")

    server = ScriptedLiveKit()
    server.refusals.append(CallFailed("no track came"))
    async with running(tmp_path) as gateway, staying(gateway, server) as room:
        room._tell = tell
        server.arrive("ada", "Ada", "camera")
        await until(lambda: "BrokenPipeError: nobody reads" in caplog.text, what="a traceback")
        assert not server.shown
        server.arrive("grace", "Grace")
        await until(lambda: server.shown, what="a composite of Ada")


def test_frames_of_a_phone_held_upright_are_turned():
    luma = np.arange(8, dtype=np.uint8).reshape(2, 4)
    data = np.concatenate([luma.reshape(-1), np.array([1, 2, 3, 4], np.uint8)])
    frame = rtc.VideoFrame(4, 2, rtc.VideoBufferType.I420, data.tobytes())
    turned = upright(frame, 1)
    assert turned[:4].tolist() == [[4, 0], [5, 1], [6, 2], [7, 3]]
    assert turned[4:].reshape(-1).tolist() == [1, 2, 3, 4]
