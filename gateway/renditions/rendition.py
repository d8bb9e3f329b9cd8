"""One encoder for everybody whose line carries what it makes."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from functools import partial
from typing import Protocol

from av import VideoFrame

from gateway.composite_track import Timed
from gateway.slot import Newest, SlotClosed
from gateway.stats import Departures
from gateway.transport.encoded import EncodedFrame


class SharedEncoder(Protocol):
    """What a rendition needs of a `VideoEncoder`; `take` and `close` run on threads."""

    target_bitrate: int

    def take(self, frame: VideoFrame, *, ask: bool = False) -> EncodedFrame | None:
        """Encode; as a key frame if one is asked for, but not more than two a second."""

    def close(self) -> None:
        """Free everything."""


class Reader(Protocol):
    """Somebody who is given the frames."""

    @property
    def bitrate(self) -> int:
        """Bits per second that their line carries."""

    def take(self, rendition: Rendition, frame: EncodedFrame) -> None:
        """The next frame; never waits."""

    def forget(self) -> None:
        """Nothing that was given may be used any more; join again."""

    def stop(self) -> None:
        """Nothing more will come."""


class Rendition:
    """A stream's composite with one codec on one rung; lives while it has readers."""

    def __init__(
        self,
        codec: str,
        rung: int,
        encoder: SharedEncoder,
        threads: Executor,
        departures: Departures,
    ) -> None:
        self.codec = codec
        self.rung = rung
        self.seated: set[Reader] = set()
        """Whose lines decide the bit rate."""
        self.readers: set[Reader] = set()
        """Who is given frames: those, and whoever waits for the key frame of another rendition."""
        self._encoder = encoder
        self._threads = threads
        self._departures = departures
        self._asked = False
        self._seen = 0
        """Version of the newest composite that was handed out."""
        self._bitrate = encoder.target_bitrate

    @property
    def bitrate(self) -> int:
        """Bits per second: as many as the slowest of the lines carries."""
        if self.seated:
            self._bitrate = min(reader.bitrate for reader in self.seated)
        return self._bitrate

    def ask(self) -> None:
        """Somebody needs a key frame: the next that may be one will be."""
        self._asked = True

    async def run(self, composites: Newest[Timed]) -> None:
        """Encode until the stream ends, which ends the readers, or until cancelled."""
        try:
            while True:
                version, composite = await composites.after(self._seen)
                frame = await self._encode(composite)
                if frame is not None:
                    self._hand_out(frame)
                self._seen = version
        except SlotClosed:
            pass
        finally:
            for reader in list(self.readers):
                reader.stop()
            # A frame may be in work still.
            self._threads.submit(self._encoder.close)

    async def _encode(self, composite: Timed) -> EncodedFrame | None:
        self._encoder.target_bitrate = self.bitrate
        # The encoder remembers a request until the frame at which it may be fulfilled.
        asked, self._asked = self._asked, False
        work = partial(self._encoder.take, composite.frame(), ask=asked)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _hand_out(self, frame: EncodedFrame) -> None:
        self._departures.encoded += 1
        if frame.key:
            self._departures.keys += 1
            # It answers those who asked while it was made, too.
            self._asked = False
        for reader in list(self.readers):
            reader.take(self, frame)
