"""A first plate learnt from a camera that has nothing but a URL, over real WebRTC."""

from pathlib import Path

from tests.gateway.grey_camera import BLACK, PERSON, GreyCamera
from tests.gateway.loopback import running, until


async def test_who_publishes_by_url_alone_is_shown_before_the_backdrop_and_never_the_room(
    tmp_path: Path,
):
    async with running(tmp_path) as gateway:
        obs, viewer = gateway.client(), gateway.client()
        await obs.publish("/whip/desk?plate=first&backdrop=%23000000", back=False)
        await viewer.watch("desk")
        await viewer.video(5)
        plate = gateway.worker.stream("desk").plate
        state = await (await obs.call("GET", "")).json()
        assert state["plate"]["first"] == {"state": "watching", "refused": None}
        await until(lambda: plate.state == "ready", what="the first plate")
        assert isinstance(obs.camera, GreyCamera)
        obs.camera.person = True
        await until(lambda: abs(viewer.screen.centre - PERSON) < 20, what="the person appears")
        assert abs(viewer.screen.corner - BLACK) < 12
        assert max(float(frame[4:24, 4:24].max()) for frame in viewer.screen.frames) < 60
        state = await (await obs.call("GET", "")).json()
        assert state["plate"]["first"] == {"state": "learnt", "refused": None}
