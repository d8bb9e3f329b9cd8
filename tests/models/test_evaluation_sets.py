import zlib
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.evaluation.clips import FRAMES, clip, layer
from models.evaluation.drifts import DRIFTS
from models.evaluation.recipes import MARGIN, RECIPES, displaced, inner, paper_plate
from models.evaluation.sets import Sample, StillSet
from models.scenes.errors import MaterialMissing
from models.scenes.material import Material, people_files
from tests.models.evaluation_scenes import SIZE, stills

DATA = Path(__file__).parents[1] / "data"


def pixels(sample: Sample) -> tuple[bytes, ...]:
    pictures = sample.source, sample.plate, sample.alpha, sample.foreground
    return tuple(picture.tobytes() for picture in pictures)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_scene_follows_from_its_number_alone(material: Path, recipe) -> None:
    alone = stills(material).sample(3, recipe)
    fourth = list(stills(material).samples(recipe, 4))[3]
    assert pixels(alone) == pixels(fourth)
    assert alone.checksum == fourth.checksum
    assert pixels(alone) != pixels(stills(material).sample(2, recipe))


def test_scenes_do_not_follow_from_the_name_of_a_folder(material: Path) -> None:
    before = stills(material).sample(1, RECIPES["paper"])
    (material / "people").rename(material / "others")
    renamed = replace(stills(material), people=Material("cut-outs", "others"))
    assert pixels(renamed.sample(1, RECIPES["paper"])) == pixels(before)


def test_everybody_is_in_the_first_scenes_once(material: Path) -> None:
    held_back = {file.stem for file in people_files(material / "people", "validation")}
    made = stills(material)
    shown = [made.title_of(index).split()[2] for index in range(len(held_back) + 1)]
    assert set(shown[:-1]) == held_back
    assert shown[-1] == shown[0]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_samples_are_of_the_size_and_in_range(material: Path, recipe) -> None:
    sample = stills(material).sample(0, recipe)
    for picture in (sample.source, sample.plate, sample.foreground):
        assert picture.shape == (*SIZE, 3)
        assert picture.dtype == np.float32
        assert picture.min() >= 0
        assert picture.max() <= 1
    assert sample.alpha.shape == SIZE
    assert sample.alpha.max() > 0.9


def test_the_paper_leaves_the_source_as_it_is(material: Path) -> None:
    made = stills(material)
    scene = made.scene(0)
    sample = made.sample(0, RECIPES["paper"], scene)
    assert np.abs(sample.source - inner(scene.picture)).max() <= 0.5 / 255 + 1e-6
    behind = sample.alpha < 0.01
    assert np.abs(sample.source - sample.plate)[behind].mean() > 0.002


def test_a_displaced_plate_shows_what_is_beyond_the_frame() -> None:
    rng = np.random.default_rng(0)
    empty = rng.random((60 + 2 * MARGIN, 80 + 2 * MARGIN, 3), dtype=np.float32)
    seen = displaced(empty, 3, -2)
    beside = empty[MARGIN + 2 : MARGIN + 62, MARGIN - 3 : MARGIN + 77]
    assert np.abs(seen - beside).max() < 1e-5


def test_a_drifted_plate_is_fifteen_per_cent_darker(material: Path) -> None:
    empty = stills(material).scene(0).empty
    usual, dark = (
        paper_plate(empty, np.random.default_rng(4), exposure=exposure) for exposure in (0, -0.15)
    )
    lit = usual > 0.3
    assert (dark[lit] / usual[lit]).mean() == pytest.approx(0.85, abs=0.02)


@pytest.mark.parametrize("name", ["exposure", "shift", "noise"])
def test_a_drift_of_nothing_is_the_recipe_of_the_paper(material: Path, name: str) -> None:
    made = stills(material)
    scene = made.scene(1)
    source, plate = DRIFTS[name].look(
        inner(scene.picture), scene.empty, np.random.default_rng(5), 0.0
    )
    assert np.array_equal(plate, paper_plate(scene.empty, np.random.default_rng(5)))
    assert np.abs(source - inner(scene.picture)).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("name", DRIFTS)
def test_more_drift_takes_the_plate_further_from_the_scene(material: Path, name: str) -> None:
    made = stills(material, (192, 256))
    scene = made.scene(1)
    drift = DRIFTS[name]
    points = sorted(drift.points, key=abs, reverse=name == "compression")
    still = inner(scene.alpha) == 0
    gaps = []
    for point in (points[0], points[-1]):
        rng = np.random.default_rng(5)
        source, plate = drift.look(inner(scene.picture), scene.empty, rng, point)
        gaps.append(np.abs(source - inner(scene.picture))[still].mean())
        gaps[-1] += np.abs(plate - inner(scene.empty))[still].mean()
    assert gaps[1] > gaps[0]


def test_in_a_clip_the_person_moves_and_the_plate_stays(material: Path) -> None:
    frames = list(clip(stills(material), 0, RECIPES["paper"]))
    assert len(frames) == FRAMES
    assert all(np.array_equal(frame.plate, frames[0].plate) for frame in frames)
    assert max(np.abs(frame.alpha - frames[0].alpha).mean() for frame in frames) > 0.005
    steps = [np.abs(b.alpha - a.alpha).mean() for a, b in pairwise(frames)]
    assert max(steps) < 0.05


def test_a_frame_of_a_clip_is_its_foreground_over_a_still_room(material: Path) -> None:
    first, second = islice(clip(stills(material), 1, RECIPES["paper"]), 2)
    behind = (first.alpha == 0) & (second.alpha == 0)
    assert behind.any()
    change = (second.source - first.source)[behind]
    assert 0.005 < change.std() < 0.03  # noise of two frames, and nothing else
    inside = first.alpha == 1
    assert np.abs(first.source - first.foreground)[inside].mean() < 0.02


def test_a_clip_is_the_same_every_time(material: Path) -> None:
    one, again = (
        [pixels(frame) for frame in islice(clip(stills(material), 2, RECIPES["webrtc"]), 3)]
        for _ in range(2)
    )
    assert one == again


@pytest.mark.parametrize("scale", [0.4, 0.9, 1.6])
def test_a_layer_is_premultiplied_and_stays_where_it_was_put(scale: float) -> None:
    cutout = np.zeros((100, 100, 4), np.uint8)
    cutout[..., 0] = 255
    cv2.circle(cutout, (50, 50), 20, (255, 0, 0, 255), -1)
    path = np.array([[scale, 0, 10], [0, scale, 20]])
    colour, alpha = layer(cutout, path, (200, 220))
    assert np.abs(colour[..., 0] - alpha).max() < 1e-5
    y, x = np.argwhere(alpha > 0.5).mean(0)
    assert (x, y) == pytest.approx((10 + 50 * scale, 20 + 50 * scale), abs=1.0)


def filmed(folder: Path, frames: int) -> StillSet:
    """A set with one clip that is held back, of a disc that moves by a pixel a frame."""
    name = next(n for n in map(str, range(100)) if zlib.crc32(n.encode()) % 10 == 0)
    for number in range(frames):
        alpha = np.zeros((60, 80), np.uint8)
        cv2.circle(alpha, (20 + number, 30), 15, 255, -1, cv2.LINE_AA)
        for tree, picture in (("fgr", np.full((60, 80, 3), 200, np.uint8)), ("pha", alpha)):
            path = folder / "Film" / tree / name / f"{number:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture)
    made = Material("videomatte240k", "Film")
    return StillSet(made, Material("rooms", "rooms"), folder, SIZE)


def test_people_of_a_set_with_clips_move_as_they_were_filmed(material: Path) -> None:
    frames = list(clip(filmed(material, 9), 0, RECIPES["paper"]))
    assert len(frames) == 9
    centres = [np.argwhere(frame.alpha > 0.5)[:, 1].mean() for frame in frames]
    # 60 rows fill 72: a pixel of the film is 1.2 of the frame.
    assert np.diff(centres) == pytest.approx(np.full(8, 1.2), abs=0.1)


def test_stills_of_a_filmed_set_are_its_frames(material: Path) -> None:
    sample = filmed(material, 3).sample(0, RECIPES["paper"])
    assert sample.alpha.max() > 0.9
    assert sample.name.startswith("scene 0: person ")


def test_a_set_that_is_not_there_says_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(MaterialMissing, match="people"):
        stills(tmp_path).require()


def test_a_set_for_testing_only_gives_its_test_pictures(material: Path) -> None:
    for tree, shape in (("fgr", (40, 30, 3)), ("pha", (40, 30))):
        (material / "AIM" / tree).mkdir(parents=True)
        cv2.imwrite(str(material / "AIM" / tree / "1.png"), np.full(shape, 255, np.uint8))
    made = replace(stills(material), people=Material("aim", "AIM"))
    made.require()
    assert made.people_split == "test"
    assert made.sample(0, RECIPES["webrtc"]).alpha.max() > 0.9


def test_published_scenes_stay_what_they_were(tmp_path: Path) -> None:
    """Else scores of before and after could not be compared: a change in how training draws its
    scenes must not reach these."""
    for original, copy in (
        ("astronaut.webp", "people/00007.webp"),
        ("room-0001.jpg", "rooms/1-room.jpg"),
    ):
        (tmp_path / copy).parent.mkdir()
        (tmp_path / copy).write_bytes((DATA / original).read_bytes())
    made = stills(tmp_path, (180, 320))
    means = [
        [float(picture.mean()) for picture in (sample.source, sample.plate, sample.alpha)]
        for sample in (
            *made.samples(RECIPES["paper"], 2),
            *made.samples(RECIPES["webrtc"], 1),
            next(clip(made, 0, RECIPES["drifted"])),
        )
    ]
    expected = [
        [0.6863, 0.6859, 0.1596],
        [0.5954, 0.6805, 0.2184],
        [0.6866, 0.6877, 0.1596],
        [0.5955, 0.5397, 0.2741],
    ]
    assert np.array(means) == pytest.approx(np.array(expected), abs=5e-4)
