"""Keeping a promised rate by looking at less of every frame.

A stream's governor measures what its frames take and moves along levels; what they are is said in
`models.detail`. Down quickly, since late frames are lost ones, and up slowly, only where what it
remembers of the level above fits, so that a stream does not swing between two levels.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final

logger = logging.getLogger(__name__)

FRAMES: Final = 15
"""Frames of which the median is judged: half a second at 30; one slow frame is no reason."""

SLOWEST: Final = 500.0
"""Milliseconds of frames that are enough as well, so that slow ones are not watched for seconds."""

SAME_SHARE: Final = 1 / 32
"""Shares of a frame that differ by less are those of one region, in pixels of another size."""

FULL: Final = 0.8
"""Share of the time from which on a thread has none left: between two frames of a stream that waits
for each there are some milliseconds of other threads."""

COMFORT: Final = 0.8
"""Share of what a frame may take that a better level must fit into before it is tried."""

PATIENCE: Final = 4.0
"""Seconds that a level has to hold before a better one is tried."""

LONGEST_PATIENCE: Final = 120.0
"""Twice as long after every attempt that failed, up to this."""

STEP_COST: Final = 1.6
"""A better level is taken to cost so much more than this one where that is not remembered."""

MEMORY: Final = 30.0
"""Seconds for which it is remembered: another program may have ended since."""

WINDOW: Final = 2.0
"""Seconds over which a thread's work is counted."""


class Workload:
    """What one matting thread does, and for how many streams. That thread uses it."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`rate` is that promised to every stream, frames a second; `clock` gives seconds."""
        self._rate, self.clock = rate, clock
        self._began = clock()
        self._done: deque[tuple[float, float, Hashable]] = deque()  # when, how long, for whom

    def worked(self, stream: Hashable, seconds: float) -> None:
        """A frame of `stream` has just been finished."""
        self._done.append((self.clock(), seconds, stream))

    @property
    def promised(self) -> float:
        """Milliseconds that a frame may take if every stream at work is to have its rate."""
        self._forget()
        return 1000 / (self._rate * max(len({stream for _, _, stream in self._done}), 1))

    @property
    def busy(self) -> float:
        """Share of the last seconds spent on frames, above 0 and up to 1."""
        self._forget()
        span = min(max(self.clock() - self._began, 1e-3), WINDOW)
        return min(max(sum(seconds for _, seconds, _ in self._done) / span, 1e-3), 1.0)

    def _forget(self) -> None:
        while self._done and self._done[0][0] < self.clock() - WINDOW:
            self._done.popleft()


class Governor:
    """Of one stream. The matting thread uses it."""

    def __init__(self, load: Workload, levels: int = 1) -> None:
        """`load` is the thread's, shared by all streams; `levels` is for `restart` to change."""
        self._load, self._clock = load, load.clock
        self.levels = levels
        self._at = 0
        self._since = self._clock()
        self._rose = False
        self._share = 1.0
        self._patience = PATIENCE
        self._recent: deque[float] = deque(maxlen=FRAMES)
        self._costs: dict[int, tuple[float, float]] = {}  # by level: milliseconds, when

    @property
    def level(self) -> int:
        """For the next frame: 0 is all there is, the last of `levels` the least."""
        return self._at

    def measured(
        self, milliseconds: float, level: int, *, share: float = 1.0, usual: bool = True
    ) -> None:
        """A frame of a level, of which so large a share was seen, has taken so long of the thread's
        time. What is not `usual` is no measure for others, and costs at another share are none.

        The level before goes on until this one can be had; what its frames take is known.

        More than the promised rate allows is too long only when the thread has no time left: the
        camera may be slower than what was promised.
        """
        self._load.worked(self, milliseconds / 1000)
        if level != self._at or not usual:
            return
        if abs(share - self._share) > SAME_SHARE:
            self._share = share
            self._recent.clear()
            self._costs.clear()
        self._recent.append(milliseconds)
        if len(self._recent) < FRAMES and sum(self._recent) < SLOWEST:
            return
        cost, now = statistics.median(self._recent), self._clock()
        self._costs[self._at] = (cost, now)
        promised, busy = self._load.promised, self._load.busy
        limit = promised if busy >= FULL else max(promised, cost * FULL / busy)
        held = now - self._since
        if cost > limit:
            if self._rose and held < PATIENCE:
                self._patience = min(2 * self._patience, LONGEST_PATIENCE)
            if self._at + 1 < self.levels:
                self._move(self._at + 1, cost, limit)
            return
        if self._rose and held >= PATIENCE:
            self._rose, self._patience = False, PATIENCE
        better = self._at - 1
        if self._at and held >= self._patience and self._expected(better) <= COMFORT * limit:
            self._move(better, cost, limit)

    def restart(self, levels: int) -> None:
        """Another size of frame, with so many levels: what was measured means nothing for it."""
        self.levels = levels
        self._at = min(self._at, levels - 1)
        self._recent.clear()
        self._costs.clear()
        self._since, self._patience, self._rose = self._clock(), PATIENCE, False

    def _expected(self, level: int) -> float:
        known, when = self._costs.get(level, (0.0, -MEMORY))
        if known and self._clock() - when < MEMORY:
            return known
        return STEP_COST * self._costs[self._at][0]

    def _move(self, to: int, cost: float, limit: float) -> None:
        logger.info(
            "%.0f ms a frame, %.0f allowed: quality level %d after %d (0 is best, %d least)",
            cost, limit, to, self._at, self.levels - 1,
        )  # fmt: skip
        self._rose = to < self._at
        self._at, self._since = to, self._clock()
        self._recent.clear()
