"""What is measured: one plan for all streams, as the command line says it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.bench.impairment import Impairment

Codec = Literal["vp8", "h264"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Travels to the participants' processes."""

    width: int
    height: int
    fps: float
    seconds: float
    """Measured, after `warm_up`."""
    warm_up: float = 3.0
    """Seconds of composites before the first counts: rates settle, caches fill."""
    codec: Codec = "vp8"
    direct: float = 5.0
    """Seconds of a call without a gateway, to compare with; 0 leaves it out."""
    watch: bool = False
    """Receive through WHEP on a second connection, and publish as a plain WHIP client."""
    watchers: int = 0
    """More who receive through WHEP, and decode nothing."""
    sound: bool = False
    """Send a beep every second, and tell how far it comes from its picture."""
    backdrop: str = "#5a6472"
    """What `PUT .../backdrop` is told: `#rrggbb`, `blur` or a gallery id."""
    clip: Path | None = None
    plate: Path | None = None
    """Instead of the drawn scene; both or none."""
    impairment: Impairment = field(default_factory=Impairment)
    seed: int = 0
    uplink: tuple[int, int, int] = (4_000_000, 300_000, 8_000_000)
    """Bits per second at which the camera begins, its least and its most; the server's estimate
    governs in between."""

    @property
    def size(self) -> str:
        """For people."""
        return f"{self.width}x{self.height}"
