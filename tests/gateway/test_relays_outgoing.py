"""What goes out of a stream on the gateway's own connections."""

from pathlib import Path
from typing import Any

from gateway.relays.outgoing import given_out
from tests.gateway.loopback import running


class Line:
    """A connection on which pictures leave so late after their capture."""

    def __init__(self) -> None:
        self.seconds: float | None = None

    def lag(self) -> float | None:
        return self.seconds


async def test_sound_is_as_late_as_the_picture_is_on_this_very_connection(tmp_path: Path):
    async with running(tmp_path) as gateway, gateway.worker.feeding("desk") as feed:
        line: Any = Line()
        with given_out(feed.stream, line, audio=True) as tracks:
            sound: Any = tracks["audio"]
            assert sound._lag() == 0.0, "nothing is known before the first picture has left"
            line.seconds = 0.3
            assert sound._lag() == 0.3


async def test_tracks_leave_the_stream_with_their_connection(tmp_path: Path):
    async with running(tmp_path) as gateway, gateway.worker.feeding("desk") as feed:
        line: Any = Line()
        with given_out(feed.stream, line, audio=False) as tracks:
            assert set(tracks) == {"video"}
        assert tracks["video"].readyState == "ended"
