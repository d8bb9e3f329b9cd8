"""How far apart lips and voice come. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.bench.record import Record

NEAR: Final = 0.5
"""Seconds around a beep within which a frame tells how late the picture is."""


@dataclass(frozen=True, slots=True)
class LipSync:
    """Milliseconds that beeps came after the pictures of their capture; before, if negative."""

    p50: float
    """Of all beeps, for a player that plays and shows what comes when it comes."""
    p95: float
    """How far apart at most, either way, for 95 % of the beeps."""
    reported: float | None
    """Median of what is left for a player that brings together what the sender's reports say."""
    beeps: int


def lip_sync(records: Iterable[Record]) -> LipSync | None:
    """Over all beeps of some measurements, `None` without any."""
    apart: list[float] = []
    reported: list[float] = []
    for record in records:
        handed = dict(record.handed)
        dated = record.dated or (None,) * len(record.seen)
        frames = [
            (handed[number], at, captured)
            for (number, at), captured in zip(record.seen, dated, strict=True)
            if number in handed
        ]
        for second, at, captured in record.heard:
            made = record.camera_began + second
            near = [frame for frame in frames if abs(frame[0] - made) < NEAR]
            if not near or not record.began <= made < record.began + record.seconds:
                continue
            # The median: a player shows a frame late rather than move the sound.
            late = float(np.median([seen - shown for shown, seen, _ in near]))
            apart.append(1000 * (at - made - late))
            known = [told - shown for shown, _, told in near if told is not None]
            if captured is not None and known:
                reported.append(1000 * (captured - made - float(np.median(known))))
    if not apart:
        return None
    return LipSync(
        p50=round(float(np.median(apart)), 1),
        p95=round(float(np.percentile(np.abs(apart), 95)), 1),
        reported=round(float(np.median(reported)), 1) if reported else None,
        beeps=len(apart),
    )
