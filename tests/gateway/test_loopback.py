"""Real WebRTC through the real application; only the networks are replaced by arithmetic."""

from pathlib import Path

from tests.gateway.loopback import PERSON, ROOM, running, until


async def test_the_page_gets_the_person_before_the_backdrop_and_never_the_room(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video()
        assert abs(page.screen.corner - 50) < 12
        await page.capture()
        assert page.camera
        page.camera.person = True
        await until(lambda: abs(page.screen.centre - PERSON) < 20, what="the person appears")
        assert abs(page.screen.corner - ROOM) > 40
        assert abs(page.screen.corner - 50) < 12
