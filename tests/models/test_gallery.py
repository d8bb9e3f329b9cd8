"""People who were chosen are shown whatever their scores, each in the same scene every time."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.__main__ import main
from models.evaluation.gallery import Gallery, clothes
from models.evaluation.look import Look
from models.evaluation.recipes import RECIPES
from models.evaluation.sheet import COLUMNS, contact_sheet, row
from models.scenes.errors import MaterialMissing
from models.scenes.material import people_files
from tests.models.evaluation_scenes import SIZE, Constant, Counted, Tiring, stills

PAPER = RECIPES["paper"]


def held_back(material: Path) -> list[str]:
    return [file.stem for file in people_files(material / "people", "validation")]


def look(material: Path, rooms: str = "drawn") -> Look:
    people = tuple(held_back(material)[:2])
    return replace(Look("hair", "Long hair", people), rooms=rooms)


def paint(material: Path, colours: dict[str, tuple[int, int, int]]) -> None:
    """Give held-back rooms one colour each, BGR."""
    for room, colour in colours.items():
        picture = np.full((72, 96, 3), colour, np.uint8)
        cv2.imwrite(str(material / "rooms" / f"{room}.png"), picture)


def test_a_scene_follows_from_the_person_alone(material: Path) -> None:
    one = look(material)
    other = Look("hands", "Raised hands", one.people[::-1])
    gallery, again = Gallery(stills(material)), Gallery(stills(material))
    for name in one.people:
        first, second = gallery.sample(name, one, PAPER), again.sample(name, other, PAPER)
        assert first.name == second.name
        assert first.checksum == second.checksum
    assert len({gallery.sample(name, one, PAPER).checksum for name in one.people}) == 2


def test_the_whole_person_is_in_the_middle(material: Path) -> None:
    name = held_back(material)[0]
    sample = Gallery(stills(material)).sample(name, look(material), PAPER)
    assert sample.name.startswith(f"{name} in ")
    columns = np.flatnonzero((sample.alpha > 0.5).any(0))
    assert abs((columns[0] + columns[-1]) / 2 - SIZE[1] / 2) < 2
    assert sample.alpha[:, [0, -1]].max() == 0


def test_who_is_not_there_is_named_with_their_group(material: Path) -> None:
    looks = [look(material), Look("glasses", "Glasses", ("09999", "nobody"))]
    with pytest.raises(MaterialMissing) as refused:
        Gallery(stills(material)).require(looks)
    assert "there is no 09999 (glasses), nobody (glasses)" in str(refused.value)
    assert "(hair)" not in str(refused.value)


def test_who_was_trained_on_is_not_there(material: Path) -> None:
    trained = people_files(material / "people", "train")[0].stem
    with pytest.raises(MaterialMissing, match=f"there is no {trained} "):
        Gallery(stills(material)).require([Look("hair", "Hair", (trained,))])


def test_clothes_are_what_the_lower_half_mostly_shows() -> None:
    person = np.zeros((80, 60, 4), np.uint8)
    person[10:40, 20:40] = (240, 200, 180, 255)
    person[40:70, 10:50] = (0, 0, 255, 255)
    person[50:60, 25:30, :3] = 255
    person[60:80] = (0, 255, 0, 90)  # half transparent: nothing solid
    assert clothes(person) == pytest.approx([32.3, 79.2, -107.9], abs=0.5)


@pytest.mark.parametrize("near", ["1-bedroom", "11-bedroom"])
def test_a_room_that_is_alike_has_the_colour_of_the_clothes(material: Path, near: str) -> None:
    rooms = {"1-bedroom", "11-bedroom"}
    paint(material, {room: (90, 130, 190) if room == near else (60, 200, 60) for room in rooms})
    gallery, group = Gallery(stills(material)), look(material, "alike")
    titles = [gallery.sample(name, group, PAPER).name for name in group.people]
    assert titles == [f"{name} in {near}" for name in group.people]


def test_everybody_answers_every_scene_of_a_group(material: Path) -> None:
    contenders, counted = [Constant("none", 0.0), Tiring()], Counted()
    group = look(material)
    looked = Gallery(stills(material)).look_at(group, contenders, PAPER, counted)
    assert counted.total == 4
    assert [case.name.split()[0] for case in looked.cases] == list(group.people)
    for name in ("none", "tiring"):
        assert len(looked.tallies[name].samples) == 2
    sample = Gallery(stills(material)).sample(group.people[1], group, PAPER)
    seen = looked.tallies["none"].samples[1].values["alpha_mad"]
    assert seen == pytest.approx(float(sample.alpha.mean()), abs=0.002)


def test_the_same_sheet_is_made_every_time(material: Path) -> None:
    one, again = (
        Gallery(stills(material)).look_at(look(material), [Tiring()], PAPER, Counted()).sheet
        for _ in range(2)
    )
    assert one == again


def test_a_row_shows_what_its_columns_say(material: Path) -> None:
    group = look(material)
    sample = Gallery(stills(material)).sample(group.people[0], group, PAPER)
    everywhere = row("a", sample, Constant("all", 1.0).matte(sample.source, sample.plate))
    nowhere = row("a", sample, Constant("none", 0.0).matte(sample.source, sample.plate))
    height, width = SIZE
    across = round(0.85 * height)
    cells = [
        {
            name: picture[-height:, at * (across + 8) :][:, :across].astype(int)
            for at, name in enumerate(COLUMNS)
        }
        for picture in (everywhere, nowhere)
    ]
    left = (width - across) // 2
    middle = sample.source[:, left : left + across]
    for shown in cells:
        assert np.abs(shown["source"] / 255 - middle).max() < 0.003
    assert (cells[0]["alpha"] == 255).all()
    assert (cells[1]["alpha"] == 0).all()
    assert np.abs(cells[0]["composite on green"] - cells[0]["source"]).max() <= 1
    assert (cells[1]["composite on green"] == [0, 177, 64]).all()
    error = next(name for name in COLUMNS if name.startswith("error"))
    red, blue = (cell[error].sum((0, 1))[[0, 2]] for cell in cells)
    assert red[0] > red[1]
    assert blue[0] < blue[1]
    picture = cv2.imdecode(
        np.frombuffer(contact_sheet("t", [everywhere, nowhere]), np.uint8), cv2.IMREAD_COLOR
    )
    assert picture is not None
    assert picture.shape[0] > 2 * everywhere.shape[0]
    assert picture.shape[1] > everywhere.shape[1]


def evaluate(material: Path, *more: str) -> list[str]:
    words = ["evaluate", "--data", str(material), "--size", "112x72", "--scenes", "1"]
    words += ["--clips", "0", "--curve-scenes", "0", "--device", "cpu", "--recipe", "paper"]
    return [*words, "--comparator", "difference-key", *more]


def write_looks(folder: Path, people: list[str]) -> Path:
    file = folder / "mine.toml"
    file.write_text(
        f'[[group]]\nname = "hair"\ntitle = "Long & wide hair"\npeople = {json.dumps(people)}\n'
        f'[[group]]\nname = "alike"\ntitle = "Alike"\npeople = {json.dumps(people[:1])}\n'
        'rooms = "alike"\n'
    )
    return file


def test_groups_are_on_the_page_in_the_figures_and_on_disk(material: Path, tmp_path: Path) -> None:
    people = held_back(material)[:2]
    file, report = write_looks(tmp_path, people), tmp_path / "report"
    assert main(evaluate(material, "--looks", str(file), "--report", str(report))) == 0
    page = (report / "index.html").read_text()
    told = json.loads((report / "report.json").read_text())
    assert "--looks mine.toml" in told["command"]
    assert list(told["looks"]) == ["hair", "alike"]
    for name, group in told["looks"].items():
        assert f'<section id="looks-{name}"' in page
        assert f'href="{group["sheet"]}"' in page
        sheet = cv2.imread(str(report / group["sheet"]))
        assert sheet is not None
        assert sheet.std() > 20
    assert "Long &amp; wide hair" in page
    entry = told["looks"]["hair"]["entries"]["difference-key"]
    shown = [sample["name"] for sample in entry["samples"]]
    assert [name.split()[0] for name in shown] == people
    assert all(name in page for name in shown)


@pytest.mark.parametrize(
    ("people", "options", "complaint"),
    [
        (["09999"], ["--report", "REPORT"], "there is no 09999 (hair), 09999 (alike)"),
        (None, [], "give --report FOLDER"),
        (None, ["--report", "REPORT", "--set", "aim=AIM"], "have no names to choose them by"),
    ],
)
def test_what_cannot_be_looked_at_is_told_before_the_work(
    people: list[str] | None,
    options: list[str],
    complaint: str,
    material: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for tree, shape in (("fgr", (40, 30, 3)), ("pha", (40, 30))):
        (material / "AIM" / tree).mkdir(parents=True)
        cv2.imwrite(str(material / "AIM" / tree / "1.png"), np.full(shape, 255, np.uint8))
    file = write_looks(tmp_path, people or held_back(material)[:1])
    given = [str(tmp_path / "report") if word == "REPORT" else word for word in options]
    assert main(evaluate(material, "--looks", str(file), *given)) == 2
    told = capsys.readouterr().err
    assert told.startswith("cleanplate evaluate: ")
    assert complaint in told
