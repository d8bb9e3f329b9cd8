"""FFmpeg publishes to the gateway: by the muxer that PyAV brings, and by its command line."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.gateway.grey_camera import BLACK, PERSON, ROOM
from tests.gateway.loopback import running, until
from tests.sfu.ffmpeg import ffmpeg
from tests.sfu.film import frames
from tests.sfu.muxer import Turns, muxing
from tests.sfu.probe import bearer, watching
from tests.sfu.stream import TOKEN, stands_before_the_hills, stream


def grey() -> Turns:
    """A grey wall, and a bright block in its middle while somebody stands there."""
    empty = np.full((360, 320), 128, np.uint8)
    empty[:240] = ROOM
    person = empty.copy()
    person[60:180, 80:240] = PERSON
    return [empty], [person]


async def test_a_viewer_sees_who_publishes_with_ffmpeg_and_not_their_wall(tmp_path: Path):
    operator = bearer(TOKEN)
    async with running(tmp_path, tokens=(TOKEN,)) as gateway:
        # Nine times as fast as it really is: the muxer answers one check and no other.
        network = gateway.worker.network
        network._tuning = replace(network._tuning, consent_interval=0.1)
        wishes = "plate=first&backdrop=%23000000"
        url = f"{gateway.server.make_url('/whip/ffmpeg')}?{wishes}"
        async with muxing(url, grey(), tmp_path, token=TOKEN) as camera:
            viewer = gateway.client()
            offer = await viewer.offer_watching(audio=True)
            response = await viewer.send("/whep/ffmpeg", offer, **operator)
            while response.status == 409:  # not live yet
                await asyncio.sleep(0.1)
                response = await viewer.send("/whep/ffmpeg", offer, **operator)
            await viewer.accept(response)
            plate = gateway.worker.stream("ffmpeg").plate
            await until(lambda: plate.state == "ready", seconds=30, what="the first plate")
            camera.person = True
            await until(lambda: abs(viewer.screen.centre - PERSON) < 16, what="the person")
            assert abs(viewer.screen.corner - BLACK) < 8
            await until(lambda: viewer.sound.count > 5, what="sound")
        # It said goodbye, so the name is free at once.
        assert (await viewer.send("/whep/ffmpeg", offer, **operator)).status == 409


@pytest.mark.sfu
async def test_the_person_whom_ffmpeg_publishes_stands_before_the_hills(
    tmp_path: Path, gateway: str
):
    async with (
        muxing(f"{gateway}/whip/ffmpeg", frames(), tmp_path, token=TOKEN) as camera,
        watching(f"{gateway}/whep/ffmpeg", name="ffmpeg", token=TOKEN) as eye,
        stream(gateway, "ffmpeg") as scene,
    ):
        await stands_before_the_hills(scene, eye, camera)


@pytest.mark.sfu
async def test_the_command_of_the_recipe_is_all_that_a_camera_needs(tmp_path: Path, gateway: str):
    async with (
        ffmpeg(gateway, TOKEN, tmp_path) as camera,
        stream(gateway, "desk") as scene,
        watching(scene.whep, name="ffmpeg's command", token=TOKEN) as eye,
    ):
        await eye.sees_only_the_backdrop()
        await scene.learns_the_plate()
        camera.person = True
        await eye.sees_the_person_before_the_backdrop()
        eye.never_saw_the_room()
