"""A file of looks names groups of people, or says what is wrong with it."""

from pathlib import Path
from typing import Any

import pytest

from models.errors import MattingError
from models.evaluation.look import list_looks, parse_looks, read_looks
from models.scenes.material import person_split


def group(**changes: Any) -> dict[str, Any]:
    whole = {"name": "hair", "title": "Hair", "people": ["00001", "00002"]}
    return {"group": [{**whole, **changes}]}


@pytest.mark.parametrize("name", list_looks())
def test_files_that_ship_show_several_people_a_group_none_of_whom_was_trained_on(name: str) -> None:
    looks = read_looks(name)
    assert len(looks) >= 6
    for look in looks:
        assert 6 <= len(look.people) <= 8
        assert {person_split(person) for person in look.people} == {"validation"}


def test_nobody_is_shown_twice_by_a_file_that_ships() -> None:
    people = [person for look in read_looks("cut-outs") for person in look.people]
    assert len(set(people)) == len(people)


def test_a_file_of_ones_own_is_read_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[[group]]\nname = "hats"\ntitle = "Hats"\npeople = ["7"]\nrooms = "alike"\n'
    )
    (look,) = read_looks(str(tmp_path / "mine.toml"))
    assert (look.name, look.title, look.people, look.rooms) == ("hats", "Hats", ("7",), "alike")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "the key group is missing"),
        ({"group": []}, "there must be [[group]]s"),
        ({"group": group()["group"] * 2}, "each with a name of its own"),
        (group(peoples=[]), "no key group.1.peoples"),
        (group(people=[]), "needs people, each of them once"),
        (group(people=["1", "1"]), "needs people, each of them once"),
        (group(people=[1]), "group.1.people.1: Input should be a valid string"),
        (group(name="../hair"), "'../hair' is no name of small letters"),
        (group(rooms="white"), "group.1.rooms: Input should be 'drawn' or 'alike'"),
    ],
)
def test_a_wrong_file_names_itself_the_key_and_the_remedy(
    content: dict[str, Any], told: str
) -> None:
    with pytest.raises(MattingError) as refused:
        parse_looks(content, "mine.toml")
    assert str(refused.value).startswith("mine.toml: ")
    assert told in str(refused.value)


def test_looks_that_are_not_there_name_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(MattingError, match=r"no file of looks 'cutouts'; there are: .*cut-outs"):
        read_looks("cutouts")
    (tmp_path / "torn.toml").write_text("[[group")
    with pytest.raises(MattingError, match=r"torn\.toml cannot be read"):
        read_looks(str(tmp_path / "torn.toml"))
