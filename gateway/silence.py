"""How long a connection has brought a stream no video."""

from __future__ import annotations

import asyncio

from gateway.stream import Stream


class Silence:
    """Of one connection, from when this is made: a stream remembers the last frame of the one
    before."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()

    @property
    def seconds(self) -> float:
        """Since the last source frame, or since the beginning."""
        idle, lived = self._stream.idle(), self._clock() - self._began
        return lived if idle is None else min(idle, lived)

    async def lasts(self, seconds: float) -> None:
        """Return when it has lasted so long."""
        # Sleeps until it could have at the earliest: silence has no event.
        while (left := seconds - self.seconds) > 0:  # noqa: ASYNC110  # see above
            await asyncio.sleep(left)
