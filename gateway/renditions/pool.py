"""All renditions of one stream, and who sits where."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from gateway.composite_track import CompositeTrack, Timed
from gateway.renditions.ladder import Climb, Ladder
from gateway.renditions.rendition import Reader, Rendition, SharedEncoder
from gateway.renditions.viewer import Viewer
from gateway.slot import Newest, SlotClosed
from gateway.stats import Departures
from gateway.transport.encoders import Downlink, video_encoder
from gateway.transport.encoding import Encoding


@dataclass(frozen=True, slots=True)
class Seating:
    """One rendition, for `GET /streams/{name}`."""

    codec: str
    kbit: int
    """kbit/s that it is encoded for now."""
    viewers: int


class Renditions:
    """Seats viewers, opens renditions for the first of them and ends those without."""

    def __init__(
        self,
        composites: CompositeTrack,
        downlink: Downlink,
        encoding: Encoding,
        departures: Departures,
        *,
        clock: Callable[[], float] = time.monotonic,
        encoder: Callable[[str], SharedEncoder] | None = None,
    ) -> None:
        self._composites = composites
        self._downlink = downlink
        self._encoding = encoding
        self._departures = departures
        self._clock = clock
        self._encoder = encoder or self._real_encoder
        self._ladder = Ladder(downlink)
        self._tasks: dict[Rendition, asyncio.Task[None]] = {}
        self._newest: Newest[Timed] = Newest()
        self._showing: asyncio.Task[None] | None = None
        self._closed = False

    def viewer(self) -> Viewer:
        """For one sender."""
        climb = Climb(self._ladder, self._clock)
        return Viewer(self, self._downlink, climb, self._departures)

    def seating(self) -> list[Seating]:
        """Who sits where at the moment."""
        return [Seating(r.codec, r.bitrate // 1000, len(r.seated)) for r in self._tasks]

    def join(self, viewer: Viewer) -> None:
        """See `Place`; after the end of the stream the viewer ends as well."""
        if self._closed:
            viewer.stop()
            return
        self._seat(viewer, self._ladder.rung(viewer.bitrate))

    def settle(self, viewer: Viewer) -> None:
        """See `Place`: down at once, up after a while, or with the rendition."""
        home = viewer.home
        if home is None:
            return
        self._go_along(home)
        wanted = viewer.climb.wanted(home.rung, viewer.bitrate)
        if wanted != home.rung:
            home.seated.discard(viewer)
            self._seat(viewer, wanted)
            if viewer.feed is not home:
                self.leave(viewer, home)

    def leave(self, viewer: Viewer, rendition: Rendition) -> None:
        """See `Place`; a rendition without readers ends."""
        rendition.seated.discard(viewer)
        rendition.readers.discard(viewer)
        if not rendition.readers:
            self._end(rendition)

    def captured(self, timestamp: float) -> float | None:
        """See `Place`."""
        return self._composites.captured(timestamp)

    def cut(self) -> None:
        """The stream is somebody else's now: nothing made before is sent or referred to again."""
        for reader in self._end_all():
            reader.forget()

    def close(self) -> None:
        """The stream has ended: so have all viewers."""
        self._closed = True
        for reader in self._end_all():
            reader.stop()

    def _seat(self, viewer: Viewer, rung: int) -> None:
        home = self._at(viewer.codec, rung) or self._open(viewer.codec, rung)
        home.seated.add(viewer)
        home.readers.add(viewer)
        viewer.home = home
        if viewer.feed is not home:
            home.ask()

    def _go_along(self, rendition: Rendition) -> None:
        """Move a rendition with its viewers, which costs no key frame: up with all of them, down
        with the only one, unless another one is there already."""
        slowest, rung = rendition.bitrate, rendition.rung
        safe = self._ladder.safe_rung(slowest)
        if safe > rung:
            rung = safe
        elif len(rendition.seated) == 1:
            rung = min(rung, self._ladder.rung(slowest))
        if self._at(rendition.codec, rung) is None:
            rendition.rung = rung

    def _at(self, codec: str, rung: int) -> Rendition | None:
        return next((r for r in self._tasks if (r.codec, r.rung) == (codec, rung)), None)

    def _open(self, codec: str, rung: int) -> Rendition:
        if self._showing is None:
            self._showing = self._encoding.tasks.start(self._show(self._newest))
        encoder = self._encoder(codec)
        rendition = Rendition(codec, rung, encoder, self._encoding.threads, self._departures)
        self._tasks[rendition] = self._encoding.tasks.start(rendition.run(self._newest))
        return rendition

    async def _show(self, newest: Newest[Timed]) -> None:
        """Put every composite on the one line of time that all renditions share."""
        try:
            while True:
                newest.put(await self._composites.next())
        except SlotClosed:
            pass
        finally:
            newest.close()

    def _end(self, rendition: Rendition) -> None:
        task = self._tasks.pop(rendition, None)
        if task is not None:
            task.cancel()
        if not self._tasks and self._showing is not None:
            # The next one begins with the newest composite there is then.
            self._showing.cancel()
            self._showing = None
            self._newest = Newest()
            self._composites.rewind()

    def _end_all(self) -> set[Reader]:
        """End all renditions; returns who read them, and now reads none."""
        readers: set[Reader] = set()
        for rendition in list(self._tasks):
            readers |= rendition.readers
            rendition.seated.clear()
            rendition.readers.clear()
            self._end(rendition)
        return readers

    def _real_encoder(self, codec: str) -> SharedEncoder:
        parameters = RTCRtpCodecParameters(mimeType=f"video/{codec}", clockRate=90000)
        encoder = video_encoder(parameters, self._downlink, nvenc=self._encoding.nvenc)
        assert encoder is not None, codec
        return encoder
