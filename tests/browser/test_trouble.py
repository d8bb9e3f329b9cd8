"""What does not work is said, shows nobody's room, and heals where it can."""

import re
from itertools import islice
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.camera_clip import CameraClip
from tests.browser.conftest import Open
from tests.browser.likeness import covering, load, room_share
from tests.browser.server import Server
from tests.browser.visitor import HILLS, Visitor

CLIP = CameraClip()
EMPTY = CameraClip(empty=6, present=0)
# Somebody who never leaves and never keeps still.
RESTLESS = CameraClip(empty=0, present=6, sway=0.08, sway_seconds=1.5)
BEFORE_HILLS = covering(load(HILLS.path), CLIP.width, CLIP.height)


def test_a_capture_with_somebody_moving_in_the_picture_is_refused_and_said_so(
    server: Server, open_page: Open
):
    visitor = Visitor(open_page(server.url, RESTLESS), RESTLESS)
    visitor.start()
    visitor.choose(HILLS.id)

    visitor.part("capture").click()

    expect(visitor.part("message")).to_contain_text("moved", timeout=60_000)
    expect(visitor.part("message")).to_have_attribute("data-level", "error")
    expect(visitor.part("plate-state")).to_have_attribute("data-state", "none")
    for composite in islice(visitor.frames(visitor.composite), 5):
        assert room_share(composite, BEFORE_HILLS, RESTLESS) < 0.05


def test_after_a_restart_of_the_gateway_the_page_comes_back_with_plate_and_backdrop(
    tmp_path: Path, open_page: Open
):
    with Server(tmp_path / "log") as server:
        visitor = Visitor(open_page(server.url, CLIP), CLIP)
        visitor.start()
        visitor.choose(HILLS.id)
        visitor.capture_background()
        visitor.sees_the_plate_is_ready()
        visitor.stands_before(BEFORE_HILLS)

        server.kill()
        visitor.sees_connection("lost")
        server.start()

        visitor.sees_connection("live")
        visitor.sees_the_plate_is_ready()
        visitor.stands_before(BEFORE_HILLS)


def test_who_stops_and_starts_again_has_the_same_stream_without_its_plate(
    server: Server, open_page: Open
):
    visitor = Visitor(open_page(server.url, EMPTY), EMPTY)
    visitor.start()
    visitor.choose(HILLS.id)
    visitor.part("capture").click()
    visitor.sees_the_plate_is_ready()
    visitor.part("stop").click()
    expect(visitor.part("start")).to_be_visible()

    visitor.start()

    first, second = re.findall(r"stream (\S+) is live", server.log())[-2:]
    assert first == second
    visitor.sees_numbers_move()
    expect(visitor.part("plate-state")).to_have_attribute("data-state", "none")
    for composite in islice(visitor.frames(visitor.composite), 5):
        assert room_share(composite, BEFORE_HILLS, EMPTY) < 0.05


def test_a_refused_camera_is_explained(server: Server, open_page: Open):
    visitor = Visitor(open_page(server.url, CLIP, allowed=False), CLIP)

    visitor.part("start").click()

    expect(visitor.part("message")).to_contain_text(re.compile("blocked.*[Aa]llow"))
    expect(visitor.part("start")).to_be_visible()


def test_a_token_that_is_not_accepted_is_said_so_and_another_one_asked_for(
    tmp_path: Path, open_page: Open
):
    with Server(tmp_path / "log", "--tokens", "correct-horse-battery") as server:
        visitor = Visitor(open_page(server.url, CLIP), CLIP)
        # Looking needs none.
        visitor.part("start").click()
        trouble, dialog = visitor.part("token-trouble"), visitor.part("token-dialog")
        expect(dialog).to_be_visible()
        expect(trouble).to_be_hidden()

        visitor.page.keyboard.type("wrong-horse-battery\n")

        expect(trouble).to_contain_text("not accepted")
        visitor.page.keyboard.type("correct-horse-battery\n")
        visitor.sees_connection("live")
        expect(dialog).to_be_hidden()


PUBLISH = """async () => {
    const { Connection } = await import("/src/wire/connection.js");
    const { Gateway } = await import("/src/wire/gateway.js");
    const [camera] = (await navigator.mediaDevices.getUserMedia({ video: true })).getTracks();
    const nobody = { onComposite() {}, onEvent() {}, onLost() {} };
    const connection = new Connection([], { camera, microphone: null }, 20, nobody);
    const known = { stream: "watched", key: "k".repeat(32) };
    const gateway = new Gateway();
    const { session, key } = await connection.publish(gateway, known);
    globalThis.stop = async () => { await gateway.leave(session, key); connection.close(); };
}"""


def test_who_watches_is_told_that_the_stream_has_ended_and_sees_it_return(
    server: Server, open_page: Open
):
    visitor = Visitor(open_page(server.url, CLIP), CLIP)
    watching = visitor.page.context.new_page()
    watching.goto(f"{server.url}/src/watch.html#watched")
    said, video = watching.get_by_test_id("watch-state"), watching.get_by_test_id("watch-video")
    expect(said).to_contain_text("Waiting for the stream")
    visitor.page.evaluate(PUBLISH)
    visitor.until(video, lambda _: True, "video at the watcher's")
    expect(said).to_have_text("")

    visitor.page.evaluate("globalThis.stop()")

    expect(said).to_contain_text("has ended")
    # The stream lingers: the watcher is still connected, and sees the backdrop.
    visitor.until(video, lambda _: True, "the backdrop at the watcher's")
    expect(said).to_contain_text("has ended")
    visitor.page.evaluate(PUBLISH)
    expect(said).to_have_text("")
    visitor.until(video, lambda _: True, "video at the watcher's")
