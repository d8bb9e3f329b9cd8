"""What one participant saw in one measurement. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

GRACE: Final = 1.0
"""Seconds after the measurement in which what was sent within it may still arrive."""


@dataclass(frozen=True, slots=True)
class Record:
    """Comes back from a participant's process; times in monotonic seconds of this machine."""

    began: float
    seconds: float
    handed: tuple[tuple[int, float], ...]
    """Number and time of every frame given to the camera's encoder, until `GRACE` was over."""
    seen: tuple[tuple[int, float], ...]
    """Number and time of every composite that was decoded, first sight only."""
    skipped: int
    """Frames that the camera's own encoder had no time for."""
    unread: int
    """Frames that arrived without a readable number."""
    repeated: int
    """Frames that arrived a second time."""
    traffic: tuple[tuple[float, int, int], ...]
    """Each second: time, bytes sent, bytes received since the connection began."""
    lost_packets: int
    """That this line lost on purpose."""
    codec: str
    sizes: tuple[tuple[int, int], ...]
    """Width and height of what arrived."""
    watched: tuple[int, ...] = ()
    """Encoded frames that each of the plan's `watchers` received."""
    dated: tuple[float | None, ...] = ()
    """For each of `seen`, when it was captured, as the sender's reports say."""
    camera_began: float = 0.0
    """When its first frame was due: frames and beeps are counted from here."""
    heard: tuple[tuple[int, float, float | None], ...] = ()
    """Of every beep the second, its arrival, and its capture as the sender's reports say."""
    server: Mapping[str, float] = field(default_factory=dict)
    """The server's own numbers for this stream over the measurement; empty for a direct call."""
