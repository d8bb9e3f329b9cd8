"""The first plate: learned, unasked, from the first still and empty stretch of a source.

For cameras that nobody sits at a page for. When somebody captures a plate, they see to it that the
picture is empty; here nobody does, and a person who is taken for the scene leaves a hole through
which the room is seen as soon as they move. So it takes more:

- `STILLNESS`: nobody is perfectly still for three seconds. An outline that a breath moves by a
  quarter of a pixel to either side, at 640 of width, is seen in three seconds, though not in one:
  `tests/models/test_motion.py`.
- `LIMIT`: what comes later is no empty scene at the start any more. Whoever goes on looking for
  hours finds, at last, three seconds in which somebody far away or frozen seems still.

What cannot be known: whether a dummy, a chair, a photograph of a person, a person on a frozen
video, or one so far away that breathing moves them by less than that, belongs to the scene. They
become part of the plate.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, TypeAlias

from gateway.slot import Newest, SlotClosed
from gateway.transformer import Source
from models.errors import PlateRefused, RefusalReason
from models.report import I420

STILLNESS: Final = 3.0
"""Seconds that must be still: three times as long as a capture that somebody asks for.

By the frames' own time: an encoder that needs a second to connect sends what it has filmed
meanwhile in a burst, and counted by arrival the three seconds would have to begin after it."""
HERE: Final = STILLNESS / 2
"""Seconds of them that must have passed here, whatever a camera's clock says: one that runs ten
times too fast would make a plate of somebody who sits still for a moment."""
SPACING: Final = 0.09
"""Seconds between shots, a tenth less jitter: as many in all as a capture has, as more would only
cost time."""
GAP: Final = 1.0
"""Seconds without a frame that nobody can call still; also RTP's time that begins anew."""
MOST_BYTES: Final = 160 * 2**20
"""Of shots; where frames are larger than 1920x1080 there are fewer of them, 12 of 4096x2304."""
PAUSE: Final = 1.0
"""Seconds from one attempt to the next: one costs 5 ms of a core per shot (`models.plate`)."""
LIMIT: Final = 30.0
"""Seconds of video after which there is no empty scene at the start."""

logger = logging.getLogger(__name__)

Progress: TypeAlias = Literal["watching", "learnt", "missed", "ended"]


class FirstPlate:
    """Watches one source. Times are those of its frames, so a slow loop only takes fewer shots."""

    def __init__(self, sources: Newest[Source], name: str = "") -> None:
        """`name` is that of the stream, for the log."""
        self.progress: Progress = "watching"
        self.refused: RefusalReason | None = None
        """Why the latest attempt came to nothing."""
        self._sources = sources
        self._name = name
        self._shots: deque[Source] = deque()

    async def watch(
        self, learn: Callable[[Sequence[I420]], Awaitable[bool]], wanted: Callable[[], bool]
    ) -> None:
        """Until `learn` has succeeded, the time is over, or a plate is `wanted` no longer.

        `learn` may raise `PlateRefused` or answer that something came in between, and is asked
        again with later shots then; whatever else it raises ends the watch.
        """
        try:
            self.progress = await self._watch(learn, wanted)
        except asyncio.CancelledError:
            why = (
                "" if self.refused is None else f"; the latest stretch was refused: {self.refused}"
            )
            logger.info("stream %s: its session ends without a first plate%s", self._name, why)
            raise
        finally:
            self._shots.clear()
            if self.progress == "watching":
                self.progress = "ended"

    async def _watch(
        self, learn: Callable[[Sequence[I420]], Awaitable[bool]], wanted: Callable[[], bool]
    ) -> Progress:
        # Not the newest one: it may be of the camera before.
        seen = self._sources.version
        began, next_attempt = None, 0.0
        while True:
            try:
                seen, source = await self._sources.after(seen)
            except SlotClosed:
                return "ended"
            if not wanted():
                return "ended"
            began = source.arrived if began is None else began
            if source.arrived > began + LIMIT:
                return "missed"
            if not self._take(source) or source.arrived < next_attempt:
                continue
            next_attempt = source.arrived + PAUSE
            try:
                if await learn([shot.pixels for shot in self._shots]):
                    self.refused = None
                    return "learnt"
            except PlateRefused as error:
                if error.reason != self.refused:
                    # Not once per attempt: there is one every second.
                    logger.info(
                        "stream %s: %g s are no first plate: %s",
                        self._name,
                        STILLNESS,
                        error.reason,
                    )
                self.refused = error.reason

    def _take(self, source: Source) -> bool:
        """Add a frame if it is due; whether there are enough now."""
        shots = self._shots
        if shots and not (
            (source.epoch, source.pixels.shape) == (shots[-1].epoch, shots[-1].pixels.shape)
            and 0 <= _between(shots[-1], source) < GAP
        ):
            shots.clear()
        spacing = max(SPACING, STILLNESS * source.pixels.nbytes / MOST_BYTES)
        if shots and _between(shots[-1], source) < spacing:
            return False
        shots.append(source)
        while len(shots) > 2 and _between(shots[1], source) >= STILLNESS:
            shots.popleft()
        here = source.arrived - shots[0].arrived
        return _between(shots[0], source) >= STILLNESS and here >= HERE


def _between(earlier: Source, later: Source) -> float:
    """Seconds by the camera's clock."""
    return float((later.pts - earlier.pts) * later.time_base)
