"""What the gateway needs from an engine, and an engine that follows a script.

Engines are threads, not coroutines: every call returns a `concurrent.futures.Future` at once.
`models.engine` implements these Protocols with networks; `ScriptedEngine` does with arithmetic, so
that everything in this package can be run and broken at will.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.backdrop_frame import backdrop_frame
from models.backdrop import Backdrop, Colour
from models.errors import MattingError, PlateRefused
from models.report import I420, Composite, EngineDescription, PlateReport


class MattingStream(Protocol):
    """One stream's video, in order; calls take effect in the order they were made."""

    def composite(self, source: I420) -> Future[Composite]:
        """The frame with the scene replaced; without a plate, the backdrop only.

        The result's pixels belong to the caller: the engine does not write to them again.
        """

    def learn_plate(self, shots: Sequence[I420]) -> Future[PlateReport]:
        """Learn the empty scene; fails with `PlateRefused`, the old plate stays then."""

    def load_plate(self, rgb: NDArray[np.uint8]) -> Future[PlateReport]:
        """Take the plate from a picture, H x W x 3."""

    def distrust_plate(self) -> Future[None]:
        """Another camera may be looking: the backdrop only, until the plate has fitted again."""

    def forget_plate(self) -> Future[None]:
        """Show the backdrop only again."""

    def plate_picture(self) -> Future[NDArray[np.uint8] | None]:
        """The plate, H x W x 3 RGB, `None` without one."""

    def set_backdrop(self, backdrop: Backdrop) -> Future[None]:
        """From the next frame on."""

    def close(self) -> None:
        """Free what the stream holds on the device; never blocks."""


class Engine(Protocol):
    """Where networks run and the streams' frames meet a device."""

    def open_stream(self) -> MattingStream:
        """Cheap; raises `models.errors.MattingError` when the engine is full."""

    def describe(self) -> EngineDescription:
        """What runs where; does not change."""

    def close(self) -> None:
        """Finish and join all threads; blocks."""


@dataclass(slots=True)
class Step:
    """What the next call of `composite` does instead of its work."""

    error: BaseException | None = None
    delay: float = 0.0
    """Seconds before it answers; the engine's thread is busy meanwhile."""
    hang: bool = False
    """Answer only after `ScriptedEngine.release`."""


class ScriptedEngine:
    """An engine without networks: whatever differs from the plate counts as the person.

    `script` holds the coming failures; when it is empty every frame succeeds after `delay`.
    """

    def __init__(self, *, delay: float = 0.0, capacity: int = 64) -> None:
        self.delay = delay
        self.capacity = capacity
        self.script: deque[Step] = deque()
        self.streams: list[ScriptedStream] = []
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scripted-engine")
        self._released = threading.Event()

    def open_stream(self) -> ScriptedStream:
        """Refuses beyond `capacity`."""
        if len(self.streams) >= self.capacity:
            raise MattingError("the engine has no room for another stream")
        stream = ScriptedStream(self)
        self.streams.append(stream)
        return stream

    def describe(self) -> EngineDescription:
        """A device that does not exist."""
        return EngineDescription(
            device="cpu",
            device_name="no device",
            backend="scripted",
            weights="none",
            recommended_width=640,
            recommended_height=360,
            recommended_fps=30,
        )

    def close(self) -> None:
        """Let go of hanging calls and join the thread."""
        self.release()
        self.thread.shutdown(wait=True, cancel_futures=True)

    def release(self) -> None:
        """Let every hanging call answer."""
        self._released.set()

    def follow_script(self) -> None:
        """Runs on the engine's thread before each composite."""
        step = self.script.popleft() if self.script else Step(delay=self.delay)
        if step.hang:
            self._released.wait()
        if step.delay:
            time.sleep(step.delay)
        if step.error is not None:
            raise step.error


class ScriptedStream:
    """`MattingStream` by comparison of luma with the plate."""

    PERSON = 24
    """Difference of luma, in 8-bit steps, from which on a pixel counts as the person."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine = engine
        self._plate: I420 | None = None
        self._backdrop: Backdrop = Colour(0, 0, 0)
        self._frame: I420 | None = None
        self.distrusted = 0
        self.closed = False

    def composite(self, source: I420) -> Future[Composite]:
        """See `MattingStream`."""
        return self._engine.thread.submit(self._composite, source)

    def learn_plate(self, shots: Sequence[I420]) -> Future[PlateReport]:
        """Refuses fewer than three shots and shots that differ."""
        return self._engine.thread.submit(self._learn, list(shots))

    def load_plate(self, rgb: NDArray[np.uint8]) -> Future[PlateReport]:
        """See `MattingStream`."""
        return self._engine.thread.submit(self._load, rgb)

    def distrust_plate(self) -> Future[None]:
        """Counts how often it was called."""
        self.distrusted += 1
        return self._engine.thread.submit(lambda: None)

    def forget_plate(self) -> Future[None]:
        """See `MattingStream`."""
        return self._engine.thread.submit(self._forget)

    def plate_picture(self) -> Future[NDArray[np.uint8] | None]:
        """Grey: the colours of the plate do not matter here."""
        return self._engine.thread.submit(self._picture)

    def set_backdrop(self, backdrop: Backdrop) -> Future[None]:
        """See `MattingStream`."""
        return self._engine.thread.submit(self._set_backdrop, backdrop)

    def close(self) -> None:
        """See `MattingStream`."""
        if not self.closed:
            self.closed = True
            self._engine.streams.remove(self)

    def _composite(self, source: I420) -> Composite:
        began = time.perf_counter()
        self._engine.follow_script()
        height, width = source.shape[0] * 2 // 3, source.shape[1]
        if self._frame is None or self._frame.shape != source.shape:
            self._frame = backdrop_frame(self._backdrop, width, height)
        pixels = self._frame.copy()
        plate = self._plate
        if plate is not None and plate.shape == source.shape:
            difference = source[:height].astype(np.int16) - plate[:height]
            person = np.abs(difference) > self.PERSON
            pixels[:height][person] = source[:height][person]
            chroma = person[::2, ::2].reshape(height // 4, width) if height % 4 == 0 else None
            if chroma is not None:
                both = np.concatenate([chroma, chroma])
                pixels[height:][both] = source[height:][both]
        return Composite(
            pixels=pixels,
            milliseconds={"total": 1000 * (time.perf_counter() - began)},
            has_plate=plate is not None,
            drift=0.0,
            validity="none" if plate is None else "good",
        )

    def _learn(self, shots: list[I420]) -> PlateReport:
        if len(shots) < 3:
            raise PlateRefused("too-few", f"{len(shots)} shots")
        first = shots[0].astype(np.int16)
        motion = max(float(np.mean(np.abs(first - shot) > self.PERSON)) for shot in shots)
        if motion > 0.01:
            raise PlateRefused("moved", f"{motion:.3f} of the picture")
        self._plate = shots[len(shots) // 2]
        return self._report(self._plate, len(shots), motion)

    def _load(self, rgb: NDArray[np.uint8]) -> PlateReport:
        height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
        plate = np.full((height * 3 // 2, width), 128, np.uint8)
        plate[:height] = rgb[:height, :width].mean(axis=2)
        self._plate = plate
        return self._report(plate, 1, 0.0)

    def _report(self, plate: I420, shots: int, motion: float) -> PlateReport:
        height, width = plate.shape[0] * 2 // 3, plate.shape[1]
        brightness = float(plate[:height].mean()) / 255
        return PlateReport(width, height, shots, 0.0, brightness, 1.0, motion)

    def _forget(self) -> None:
        self._plate = None

    def _picture(self) -> NDArray[np.uint8] | None:
        if self._plate is None:
            return None
        luma = self._plate[: self._plate.shape[0] * 2 // 3]
        return np.repeat(luma[:, :, None], 3, axis=2)

    def _set_backdrop(self, backdrop: Backdrop) -> None:
        self._backdrop = backdrop
        self._frame = None


def description_json(description: EngineDescription) -> dict[str, object]:
    """The engine's part of `GET /capabilities`."""
    fields = asdict(description)
    return {
        **{name: fields[name] for name in ("device", "device_name", "backend", "weights")},
        "recommended": {
            "width": description.recommended_width,
            "height": description.recommended_height,
            "fps": description.recommended_fps,
        },
    }
