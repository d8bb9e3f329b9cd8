from pathlib import Path

import numpy as np
import pytest

from gateway import events
from gateway.backdrops import Backdrops, NotYours, UnknownBackdrop, check_default
from gateway.pictures import PictureLimits, encode_jpeg, encode_png
from gateway.settings import SettingsError
from models.backdrop import Blur, Colour, Picture, Transparent
from tests.gateway.loopback import small_gallery

LIMITS = PictureLimits(1_000_000, 1_000_000)


@pytest.fixture
def store(tmp_path: Path) -> Backdrops:
    return Backdrops(small_gallery(tmp_path), LIMITS, uploads=2)


def picture(value: int = 200) -> bytes:
    return encode_png(np.full((30, 40, 3), value, np.uint8))


def test_a_choice_becomes_what_the_engine_understands(store: Backdrops):
    found = store.resolve(events.PictureChoice(id="dark"))
    assert isinstance(found, Picture)
    assert found.rgb.shape == (90, 160, 3)
    assert store.resolve(events.ColourChoice(rgb="#00b140")) == Colour(0, 0xB1, 0x40)
    assert store.resolve(events.BlurChoice(radius=9)) == Blur(9)
    assert store.resolve(events.TransparentChoice()) == Transparent()


def test_uploads_are_encoded_anew(store: Backdrops):
    added = store.add(picture())
    assert store.jpeg(added.id).startswith(b"\xff\xd8")
    assert store.thumbnail(added.id).startswith(b"\xff\xd8")
    assert not store.has(added.id)


def test_the_longest_unused_upload_makes_room(store: Backdrops):
    first, second = store.add(picture(1)), store.add(picture(2))
    store.jpeg(first.id)
    third = store.add(picture(3))
    store.jpeg(first.id)
    store.jpeg(third.id)
    with pytest.raises(UnknownBackdrop):
        store.jpeg(second.id)


def test_uploads_can_be_removed_and_the_gallery_not(store: Backdrops):
    added = store.add(picture())
    store.thumbnail(added.id)
    store.remove(added.id)
    with pytest.raises(UnknownBackdrop):
        store.thumbnail(added.id)
    with pytest.raises(UnknownBackdrop):
        store.remove(added.id)
    with pytest.raises(NotYours):
        store.remove("dark")


def test_names_never_become_paths(store: Backdrops, tmp_path: Path):
    (tmp_path / "secret.jpg").write_bytes(encode_jpeg(np.zeros((4, 4, 3), np.uint8)))
    for name in ("secret", "../secret", "dark/../secret", ""):
        with pytest.raises(UnknownBackdrop):
            store.jpeg(name)


def test_a_new_stream_begins_with_the_preferred_picture_else_the_first_else_grey(store: Backdrops):
    assert store.first("light") == events.PictureChoice(id="light")
    assert store.first(None) == events.PictureChoice(id="dark")
    assert Backdrops((), LIMITS, 1).first(None).kind == "colour"


def test_a_preferred_picture_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path):
    gallery = small_gallery(tmp_path)
    check_default("light", gallery)
    check_default(None, gallery)
    with pytest.raises(SettingsError, match="'lihgt', only dark, light"):
        check_default("lihgt", gallery)
    with pytest.raises(SettingsError, match="nothing at all"):
        check_default("light", ())
