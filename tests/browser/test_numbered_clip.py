"""Numbers that a page reads are those that the clip shows."""

import base64

import cv2
import numpy as np
import pytest

from gateway.bench import card
from tests.browser.camera_clip import CameraClip
from tests.browser.conftest import Open
from tests.browser.numbered_clip import READER, NumberedClip, latencies, rate
from tests.browser.server import Server

CLIP = NumberedClip(320, 180, fps=5, empty=1, present=3)

READ = """async data => {
    const picture = await createImageBitmap(await (await fetch(data)).blob());
    return readCard(cardContext(), picture, picture.width, picture.height);
}"""


def test_the_number_of_a_frame_is_its_place_in_the_clip():
    for index, i420 in enumerate(CLIP.exposures()):
        read = card.read(i420[: CLIP.height])
        assert read == (index if CLIP.phase(index) == "standing" else None)


def test_what_is_compared_with_the_person_leaves_out_the_card():
    plain = CameraClip(320, 180, fps=5, empty=1, present=5)
    numbered = NumberedClip(320, 180, fps=5, empty=1, present=5)
    left, right, top, bottom = card.paper(320, 180)
    assert plain.inside[top:bottom, left:right].any()
    assert not numbered.inside[top:bottom, left:right].any()
    assert numbered.inside.sum() > 0.3 * plain.inside.sum()


@pytest.mark.parametrize("size", [(320, 180), (640, 360), (1280, 720)])
def test_a_page_reads_what_python_draws(open_page: Open, size: tuple[int, int]):
    page = open_page("about:blank", CLIP)
    page.add_script_tag(content=READER)
    for number in (0, 1234, 43690, 65535):
        luma = np.full(size[::-1], 128, np.uint8)
        card.draw(luma, number)
        assert page.evaluate(READ, as_data(luma)) == number
    assert page.evaluate(READ, as_data(np.full(size[::-1], 90, np.uint8))) == -1
    luma[round(card.TOP * size[1]) :, : size[0] // 2] = card.INK
    assert page.evaluate(READ, as_data(luma)) == -1


def test_numbers_are_read_from_a_camera_as_they_are_painted(server: Server, open_page: Open):
    page = open_page(server.url, NumberedClip(320, 180, fps=10, empty=1, present=6))
    page.evaluate(
        """async reader => {
            const { watchCard } = new Function(`${reader}; return { watchCard };`)();
            const video = document.createElement("video");
            video.muted = true;
            video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
            document.body.append(video);
            globalThis.cardSights = watchCard(video, "captureTime");
            await video.play();
        }""",
        READER,
    )
    page.wait_for_function("() => globalThis.cardSights.filter(([n]) => n >= 0).length > 8")
    sights = page.evaluate("() => globalThis.cardSights")
    moments = [at for _, at in sights]
    assert moments == sorted(moments)
    numbers = {number for number, _ in sights}
    assert numbers <= {-1, *range(10, 70)}


def as_data(luma: np.ndarray) -> str:
    encoded = cv2.imencode(".png", luma)[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(encoded).decode()


def test_latency_is_from_the_last_sight_in_the_source_to_the_first_in_the_composite():
    sources = [(7, 0.0), (8, 20.0), (7, 1000.0), (8, 1020.0)]
    composites = [(-1, 30.0), (7, 60.0), (8, 75.0), (8, 91.0), (7, 1090.0)]
    assert latencies(sources, composites, period=1000.0) == [60.0, 55.0, 90.0]


def test_a_number_that_was_not_seen_in_this_round_has_no_latency():
    assert latencies([(7, 0.0)], [(7, 900.0), (9, 10.0)], period=1000.0) == []


def test_the_rate_is_that_of_the_frames_with_the_person():
    standing = [(n, 20.0 * n) for n in range(50)]
    again = [(n, 5000.0 + 20.0 * n) for n in range(50)]
    assert rate([*standing, (-1, 1200.0), *again]) == pytest.approx(50.0)
    assert rate([(-1, 0.0), (-1, 20.0)]) == 0.0
