import numpy as np
import pytest

from gateway.matting import Engine, MattingStream, ScriptedEngine, Step, description_json
from models.backdrop import Colour
from models.errors import MattingError, PlateRefused


@pytest.fixture
def engine():  # type: ignore[no-untyped-def]
    made = ScriptedEngine()
    yield made
    made.close()


def grey(luma: int, person: bool = False) -> np.ndarray:
    pixels = np.full((72, 64), 128, np.uint8)
    pixels[:48] = luma
    if person:
        pixels[12:36, 16:48] = 230
    return pixels


def test_the_scripted_engine_keeps_the_protocol(engine: ScriptedEngine):
    kept: Engine = engine
    stream: MattingStream = kept.open_stream()
    stream.close()
    assert engine.streams == []


def test_it_shows_the_backdrop_until_there_is_a_plate_and_the_person_then(engine: ScriptedEngine):
    stream = engine.open_stream()
    stream.set_backdrop(Colour(255, 255, 255)).result()
    before = stream.composite(grey(100, person=True)).result()
    assert (before.has_plate, before.validity) == (False, "none")
    assert before.pixels[:48].min() > 230
    report = stream.learn_plate([grey(100)] * 5).result()
    assert (report.width, report.height, report.shots) == (64, 48, 5)
    after = stream.composite(grey(100, person=True)).result()
    assert after.has_plate
    assert after.pixels[24, 32] == 230
    assert after.pixels[2, 2] == 235
    stream.forget_plate().result()
    assert not stream.composite(grey(100)).result().has_plate


@pytest.mark.parametrize(
    ("shots", "reason"),
    [([grey(90)], "too-few"), ([grey(90), grey(90), grey(90, person=True)], "moved")],
)
def test_it_refuses_what_a_real_engine_refuses(
    engine: ScriptedEngine, shots: list[np.ndarray], reason: str
):
    stream = engine.open_stream()
    with pytest.raises(PlateRefused) as caught:
        stream.learn_plate(shots).result()
    assert caught.value.reason == reason


def test_its_plate_can_be_looked_at_and_given_back(engine: ScriptedEngine):
    stream = engine.open_stream()
    assert stream.plate_picture().result() is None
    stream.learn_plate([grey(90)] * 3).result()
    picture = stream.plate_picture().result()
    assert picture is not None
    assert picture.shape == (48, 64, 3)
    other = engine.open_stream()
    other.load_plate(picture).result()
    assert other.composite(grey(90)).result().has_plate


def test_it_follows_its_script(engine: ScriptedEngine):
    stream = engine.open_stream()
    engine.script.extend([Step(error=MattingError("no")), Step(hang=True)])
    with pytest.raises(MattingError):
        stream.composite(grey(1)).result()
    hanging = stream.composite(grey(1))
    with pytest.raises(TimeoutError):
        hanging.result(timeout=0.05)
    engine.release()
    hanging.result(timeout=2)


def test_it_is_full_at_its_capacity():
    engine = ScriptedEngine(capacity=1)
    stream = engine.open_stream()
    with pytest.raises(MattingError):
        engine.open_stream()
    stream.close()
    engine.open_stream()
    engine.close()


def test_its_description_becomes_json(engine: ScriptedEngine):
    told = description_json(engine.describe())
    assert told["recommended"] == {"width": 640, "height": 360, "fps": 30}
    assert "recommended_width" not in told
