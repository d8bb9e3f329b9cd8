"""A camera that waits for nobody, a viewer that believes only what it can read, and their film."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from aiortc import MediaStreamError
from av import VideoFrame

from gateway.bench import card, reel
from gateway.bench.camera import Camera, Viewer
from gateway.bench.reel import Reel, drawn, filmed
from gateway.bench.scene import Scene
from models.errors import PictureError

WIDTH, HEIGHT = 160, 90


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def film() -> Reel:
    return drawn(WIDTH, HEIGHT)


def number_of(frame: VideoFrame) -> int | None:
    return card.read(frame.to_ndarray()[:HEIGHT])


async def test_frames_that_nobody_fetched_in_time_are_skipped(film: Reel):
    clock = Clock()
    camera = Camera(film, fps=10, clock=clock)
    camera.person = True
    assert number_of(await camera.recv()) == 0
    clock.now = 100.35
    frame = await camera.recv()
    assert number_of(frame) == 3
    assert camera.skipped == 2
    assert camera.handed == [(0, 100.0), (3, 100.35)]
    assert frame.pts == 3 * 9000


async def test_without_the_person_no_frame_is_numbered_or_counted(film: Reel):
    camera = Camera(film, fps=1000)
    assert number_of(await camera.recv()) is None
    assert camera.handed == []


async def test_a_stopped_camera_ends(film: Reel):
    camera = Camera(film, fps=10)
    camera.stop()
    with pytest.raises(MediaStreamError):
        await camera.recv()


async def test_a_viewer_tells_new_composites_from_stills_and_backdrops(film: Reel):
    camera = Camera(film, fps=10)
    camera.tick = 65_540
    viewer = Viewer(camera)
    for at, pixels in enumerate(
        [
            film.numbered(65_535),
            film.plain(0),
            film.numbered(65_538),
            film.numbered(65_538),
            film.numbered(65_535),
        ]
    ):
        viewer.look(VideoFrame.from_ndarray(pixels, format="yuv420p"), float(at))
    assert viewer.seen == [(65_535, 0.0), (65_538, 2.0)]
    assert (viewer.frames, viewer.unread, viewer.repeated) == (5, 1, 2)
    assert viewer.sizes == {(WIDTH, HEIGHT)}


def test_the_person_moves_there_and_back_without_a_jump(film: Reel):
    turn = 2 * len(film.present) - 2
    for tick in range(turn):
        step = np.abs(film.numbered(tick)[:40].astype(int) - film.numbered(tick + 1)[:40])
        assert step.mean() < 4
    assert np.array_equal(film.numbered(0)[:40], film.numbered(turn)[:40])


def test_huge_frames_are_few():
    assert reel.most_frames(640, 360) == reel.MOST_FRAMES
    assert reel.most_frames(4096, 2304) * 4096 * 2304 * 3 // 2 <= reel.MOST_BYTES


def save(path: Path, picture: np.ndarray) -> Path:
    cv2.imwrite(str(path), cv2.cvtColor(picture.astype(np.uint8), cv2.COLOR_RGB2BGR))
    return path


def test_a_picture_of_somebody_can_take_the_place_of_the_drawn_one(tmp_path: Path):
    scene = Scene(400, 300)
    clip = save(tmp_path / "clip.png", scene.present(0.5))
    plate = save(tmp_path / "plate.png", scene.room)
    found = filmed(clip, plate, WIDTH, HEIGHT)
    assert found.present[0].shape == (HEIGHT * 3 // 2, WIDTH)
    assert card.read(found.numbered(77)[:HEIGHT]) == 77
    assert card.read(found.plain(77)[:HEIGHT]) is None


def test_a_video_of_somebody_is_shown_frame_by_frame(tmp_path: Path):
    scene = Scene(400, 300)
    plate = save(tmp_path / "plate.png", scene.room)
    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 400, 300, "yuv420p"
        for phase in (0.0, 0.5, 1.0):
            pixels = scene.present(phase).astype(np.uint8)
            container.mux(stream.encode(VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    found = filmed(clip, plate, WIDTH, HEIGHT)
    assert len(found.present) == 3
    assert [card.read(found.numbered(n)[:HEIGHT]) for n in range(5)] == list(range(5))


def test_a_clip_that_is_no_picture_is_told(tmp_path: Path):
    plate = save(tmp_path / "plate.png", Scene(400, 300).room)
    (tmp_path / "clip.mp4").write_text("nonsense")
    with pytest.raises(PictureError, match="neither a picture nor a video"):
        filmed(tmp_path / "clip.mp4", plate, WIDTH, HEIGHT)
    with pytest.raises(PictureError, match="there is no file"):
        filmed(tmp_path / "absent.mp4", plate, WIDTH, HEIGHT)
