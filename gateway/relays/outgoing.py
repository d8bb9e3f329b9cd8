"""What goes out of a stream on a connection that the gateway opened itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from aiortc import MediaStreamTrack

from gateway.peer import Peer
from gateway.stream import Stream


@contextlib.contextmanager
def given_out(stream: Stream, peer: Peer, *, audio: bool) -> Iterator[dict[str, MediaStreamTrack]]:
    """A stream's composite for `peer`, and its sound as late as that; by kind, until the end."""
    tracks: dict[str, MediaStreamTrack] = {"video": stream.renditions.viewer()}
    if audio:
        tracks["audio"] = stream.audio.subscribe(peer.lag)
    try:
        yield tracks
    finally:
        for track in tracks.values():
            track.stop()
