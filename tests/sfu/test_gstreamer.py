"""GStreamer publishes and watches: the WebRTC engine below its elements for WHIP and WHEP."""

from pathlib import Path

import pytest

from tests.sfu.film import HILLS
from tests.sfu.gstreamer import publishing, watching
from tests.sfu.stream import TOKEN, stream

pytestmark = pytest.mark.sfu


async def test_gstreamer_publishes_and_watches(tmp_path: Path, gateway: str):
    url = f"{gateway}/whip/gstreamer?plate=first&backdrop={HILLS.id}"
    async with (
        publishing(url, TOKEN, tmp_path) as camera,
        stream(gateway, "gstreamer") as scene,
        watching(scene.whep, TOKEN, "gstreamer") as eye,
    ):
        await eye.sees_only_the_backdrop()
        await scene.learns_the_plate()
        camera.person = True
        await eye.sees_the_person_before_the_backdrop()
        eye.never_saw_the_room()
