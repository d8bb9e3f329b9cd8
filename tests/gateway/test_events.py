import pytest
from pydantic import ValidationError

from gateway import events


def test_an_event_survives_the_wire():
    event = events.Notice(level="info", text="hello")
    assert events.decode(events.encode(event)) == event


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"type": "nonsense"}',
        '{"type": "ended"}',
        '{"type": "ended", "reason": "x", "more": 1}',
    ],
)
def test_what_is_no_event_is_refused(text: str):
    with pytest.raises(ValidationError):
        events.decode(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"kind": "picture"}',
        '{"kind": "picture", "id": ""}',
        '{"kind": "colour", "rgb": "green"}',
        '{"kind": "colour", "rgb": "#12345"}',
        '{"kind": "blur", "radius": -1}',
        '{"kind": "blur", "radius": 0}',
        '{"kind": "blur", "radius": 3.9}',
        '{"kind": "blur", "radius": 1e9}',
        '{"kind": "blur", "radius": "NaN"}',
        '{"kind": "video", "url": "x"}',
        "[]",
    ],
)
def test_what_is_no_backdrop_is_refused(text: str):
    with pytest.raises(ValidationError):
        events.decode_choice(text)


def test_a_blur_has_a_radius_of_its_own():
    assert events.decode_choice('{"kind": "blur"}') == events.BlurChoice(radius=24.0)
