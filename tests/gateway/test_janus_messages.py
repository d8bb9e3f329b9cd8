"""What Janus says, be it as documented or not."""

import json
from typing import Any

import pytest

from gateway.rooms.janus_messages import Message, Mistakes, read_message


def heard(message: dict[str, Any], mistakes: Mistakes | None = None) -> Message:
    read = read_message(json.dumps(message), mistakes or Mistakes())
    assert read is not None
    return read


def room(data: Any) -> dict[str, Any]:
    return {"janus": "event", "sender": 5, "plugindata": {"data": data}}


def test_publishers_are_those_who_show_a_video():
    publishers = [
        {"id": 1, "display": "Ada", "streams": [{"type": "audio"}, {"type": "video"}]},
        {"id": "two", "streams": [{"type": "audio"}]},
        {"id": 3},
    ]
    cameras = heard(room({"publishers": publishers})).said.cameras
    assert [(each.id, each.title) for each in cameras] == [(1, "Ada"), (3, "3")]


def test_what_is_malformed_is_left_out_and_nothing_beside_it(caplog: pytest.LogCaptureFixture):
    publishers = [{"id": True}, {"id": 2, "display": ["Grace"], "streams": [{"mid": "0"}, "x"]}]
    said = heard(room({"publishers": publishers, "leaving": None, "unpublished": 7})).said
    assert (said.leaving, said.unpublished) == (None, 7)
    _, grace = said.publishers or ()
    assert grace is not None
    assert (grace.title, grace.shows_video) == ("2", False)
    assert sorted(
        line.partition("left out: ")[2].partition(":")[0] for line in caplog.messages
    ) == [
        "display",
        "publishers.id",
        "streams",
        "streams.type",
    ]


def test_a_mistake_is_told_once_and_what_was_sent_never(caplog: pytest.LogCaptureFixture):
    mistakes = Mistakes()
    for number in range(3):
        heard(room({"publishers": [{"id": ["secret"]}] * number}), mistakes)
        heard({"janus": "success", "data": {"id": "secret"}, "jsep": "secret"}, mistakes)
        assert read_message('{"janus": secret', mistakes) is None
    assert len(caplog.messages) == 4
    assert "secret" not in caplog.text
