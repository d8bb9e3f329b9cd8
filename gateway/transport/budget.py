"""How fast an encoder has to work, from how long it really takes. Pure."""

from __future__ import annotations

from typing import Final

BUSY: Final = 0.5
"""Share of a frame's interval beyond which encoding endangers the frame rate: aiortc's sender waits
for a frame, encodes it and sends it, one after the other."""
IDLE: Final = 0.15
"""Share below which a slower speed, of about twice the work, still fits."""
HASTE: Final = 15
"""Frames over which the average must be too high before the speed rises."""
PATIENCE: Final = 600
"""Frames over which it must be low before the speed falls; doubled whenever that was a mistake."""
PATIENCE_LIMIT: Final = 32 * PATIENCE
SMOOTHING: Final = 0.1
"""Weight of the newest frame."""


class Budget:
    """Chooses one of an encoder's speeds, 0 being the slowest and best looking.

    A change costs a new codec and a key frame, hence the wide gap between `BUSY` and `IDLE`.
    """

    def __init__(self, speeds: int) -> None:
        self.speed = 0
        self._speeds = speeds
        self._share: float | None = None
        self._hurried = 0
        self._relaxed = 0
        self._patience = PATIENCE

    @property
    def overdrawn(self) -> bool:
        """Whether the speed should rise now."""
        return self._hurried >= HASTE and self.speed < self._speeds - 1

    @property
    def ample(self) -> bool:
        """Whether the speed may fall when a key frame is due anyway."""
        return self._relaxed >= self._patience and self.speed > 0

    def took(self, seconds: float, interval: float) -> None:
        """A frame took `seconds` to encode, `interval` seconds after the one before."""
        share = seconds / max(interval, 1e-3)
        self._share = share if self._share is None else _smooth(self._share, share)
        self._hurried = self._hurried + 1 if self._share > BUSY else 0
        self._relaxed = self._relaxed + 1 if self._share < IDLE else 0

    def adapt(self) -> None:
        """Take the speed that `overdrawn` or `ample` ask for."""
        if self.overdrawn:
            if self._patience < PATIENCE_LIMIT:
                self._patience *= 2
            self.speed += 1
        elif self.ample:
            self.speed -= 1
        # What was measured belongs to the speed before.
        self._share, self._hurried, self._relaxed = None, 0, 0


class Cadence:
    """Frames per second of a video, from its timestamps alone."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._interval = 1 / 30
        self._seen = 0

    def mark(self, seconds: float) -> None:
        """A frame of this time; a pause counts as a quarter of a second at most."""
        if self._last is not None and seconds > self._last:
            interval = min(seconds - self._last, 0.25)
            self._seen += 1
            # The first ones are averaged evenly, so that the guess above weighs nothing.
            self._interval += (interval - self._interval) * max(1 / self._seen, SMOOTHING)
        self._last = seconds

    @property
    def interval(self) -> float:
        """Seconds from frame to frame."""
        return self._interval

    @property
    def settled(self) -> bool:
        """Whether enough frames came to rely on it."""
        return self._seen >= HASTE

    @property
    def per_second(self) -> float:
        """Frames per second; 30 until known."""
        return 1 / self._interval


class KeyFrames:
    """Lets requested key frames through, but not more than two a second.

    A watcher that asks in a loop, or many losses in a row, would otherwise turn the video into key
    frames, which are ten times larger and cause the next loss.
    """

    APART: Final = 0.5
    """Seconds of the video's own time."""

    def __init__(self) -> None:
        self._asked = False
        self._last: float | None = None

    def ask(self) -> None:
        """Somebody needs one (PLI, FIR)."""
        self._asked = True

    def due(self, seconds: float) -> bool:
        """Whether the frame of this time should be one."""
        if not self._asked:
            return False
        return self._last is None or not 0 <= seconds - self._last < self.APART

    def made(self, seconds: float) -> None:
        """The frame of this time was one, for whatever reason."""
        self._asked = False
        self._last = seconds


def _smooth(average: float, value: float) -> float:
    return average + SMOOTHING * (value - average)
