"""A relay between two gateways: the real servers at both ends, over HTTP and WebRTC."""

from pathlib import Path

from tests.gateway.grey_camera import BLACK, PERSON
from tests.gateway.loopback import running, until


async def test_between_two_gateways_nothing_is_lost_but_the_room(tmp_path: Path):
    async with (
        running(tmp_path) as first,
        running(tmp_path, relay_hosts=("127.0.0.1",)) as middle,
        running(tmp_path) as last,
    ):
        camera = first.client()
        await camera.publish("/whip/camera")
        # The first gateway shows a grey wall, which the second takes for a room.
        await camera.colour("#808080")
        await camera.capture()
        answer = await middle.http.post(
            "/relays",
            json={
                "from": str(first.server.make_url("/whep/camera")),
                "to": str(last.server.make_url("/whip/stage")),
                "name": "between",
                "backdrop": "#000000",
            },
        )
        assert answer.status == 201, await answer.text()
        key = {"Cleanplate-Key": answer.headers["Cleanplate-Key"]}
        await until(lambda: last.worker.stream("stage") is not None, what="the last gateway")
        capture = middle.http.post("/streams/between/plate", headers=key)
        assert (await capture).status == 200
        # What arrives at the last gateway is a source there.
        sources = last.worker.stream("stage").transformer.sources
        camera.camera.person = True

        def centre() -> float:
            return float(sources.value.pixels[110:130, 150:170].mean()) if sources.value else 0.0

        await until(lambda: abs(centre() - PERSON) < 25, what="the person at the last gateway")
        assert abs(float(sources.value.pixels[4:24, 4:24].mean()) - BLACK) < 12
        shown = await (await middle.http.get(answer.headers["Location"])).json()
        assert shown["state"] == "live"
        assert (await middle.http.delete(answer.headers["Location"])).status == 200
        assert not last.worker.is_live(last.worker.stream("stage"))
        assert first.worker.watchers(first.worker.stream("camera")) == []
