"""An encoder with nothing but a URL: real WebRTC, real matting, a room that somebody walks into."""

import asyncio
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import colour
from models.engine import open_engine
from tests.browser.camera_clip import CameraClip
from tests.browser.likeness import backdrop_error, person_error, room_share
from tests.gateway.loopback import Client, running, until
from tests.gateway.paced_camera import PacedCamera

CLIP = CameraClip(fps=15, empty=0.5, present=10.0)
PURPLE = np.full((CLIP.height, CLIP.width, 3), (0x7A, 0x1F, 0xA2), np.uint8)
WALKING_IN = range(round(0.5 * CLIP.fps), CLIP.standing[0])


class RoomCamera(PacedCamera):
    """Shows the empty room until somebody is called in; then they stand there and sway."""

    def __init__(self) -> None:
        super().__init__(CLIP.fps)
        self._grain = np.random.default_rng(1)
        self._index = 0

    async def picture(self) -> np.ndarray:
        """With a sensor's noise."""
        return await asyncio.to_thread(self._drawn)

    def _drawn(self) -> np.ndarray:
        if self.person:
            self._index += 1
        index = self._index
        if index > 0:
            walk = [*WALKING_IN]
            index = walk[index] if index < len(walk) else self._swaying(index - len(walk))
        picture = CLIP.frame(index)
        noise = self._grain.normal(0, CLIP.noise, (CLIP.height, CLIP.width, 1))
        return colour.to_i420(np.clip(picture + noise, 0, 255).astype(np.uint8))

    def _swaying(self, since: int) -> int:
        return CLIP.standing[since % len(CLIP.standing)]


def rgb(composite: np.ndarray) -> np.ndarray:
    """What a viewer sees, at the camera's size; composites may be smaller than the source."""
    size = (CLIP.width, CLIP.height)
    return np.asarray(cv2.resize(colour.to_rgb(composite), size), np.uint8)


async def standing(viewer: Client) -> None:
    """Until the person is seen where they stand, unharmed."""
    async with asyncio.timeout(30):
        while person_error(rgb(viewer.screen.frames[-1]), CLIP) >= 12:
            await viewer.video(3)


@pytest.mark.slow
async def test_the_url_alone_puts_a_person_before_a_backdrop_and_never_shows_the_room(
    tmp_path: Path,
):
    engine = await asyncio.to_thread(open_engine, None, "cpu")
    # Drawn once, before anything has to be in time.
    await asyncio.to_thread(lambda: (CLIP.standing_frames, CLIP.inside, CLIP.outside))
    async with running(tmp_path, engine, freeze=1.0) as gateway:
        obs, viewer = gateway.client(), gateway.client()
        camera = RoomCamera()
        await obs.publish("/whip/desk?plate=first&backdrop=%237a1fa2", back=False, camera=camera)
        await viewer.watch("desk")
        plate = gateway.worker.stream("desk").plate
        await until(lambda: plate.state == "ready", seconds=30, what="the first plate")
        assert viewer.screen.frames
        for frame in viewer.screen.frames:
            assert np.abs(rgb(frame).astype(float) - PURPLE).mean() < 10
        camera.person = True
        await standing(viewer)
        *before, last = [rgb(frame) for frame in viewer.screen.frames]
        for picture in before:
            # They come in from the right, and never reach the left.
            left = np.abs(picture[:, : CLIP.width // 4].astype(float) - PURPLE[0, 0])
            assert left.mean() < 10
        assert room_share(last, PURPLE, CLIP) < 0.05
        assert backdrop_error(last, PURPLE, CLIP) < 10
        # Kept, forgotten, and taken again while they stand there.
        kept = await gateway.http.put(
            "/plates/desk", json={"stream": "desk"}, headers={"Cleanplate-Key": obs.key}
        )
        assert kept.status == 201
        assert (await obs.call("DELETE", "/plate")).status == 204
        async with asyncio.timeout(30):
            while np.abs(rgb(viewer.screen.frames[-1]).astype(float) - PURPLE).mean() > 3:
                await viewer.video(1)
        assert (await obs.call("PUT", "/plate", json={"kept": "desk"})).status == 200
        await standing(viewer)
        assert room_share(rgb(viewer.screen.frames[-1]), PURPLE, CLIP) < 0.05
