"""Many streams on one device.

One matting thread owns the device. Streams take turns, frame by frame, so none starves; a failure
belongs to its own call and to nobody else's. Learning a plate takes a tenth of a second of one core
and happens beside it, on a second thread.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.backdrop import Backdrop
from models.backends import Backend
from models.backends.choice import measure, open_backend
from models.call import Call
from models.device import Device, choose_device
from models.errors import MattingError
from models.network import MattingNetwork
from models.pipeline import MattingPipeline
from models.plate import Plate, learn_plate, load_plate
from models.report import I420, Composite, EngineDescription, PlateReport
from models.weights import default_weights, load_network

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

CAPACITY: Final = 16
"""Streams at once: beyond that even an accelerator has no 30 frames a second for each."""

MOST_WAITING: Final = 64
"""Calls of one stream that may wait. A caller that awaits its frames never has more than a few;
one that does not must not fill the memory."""


class InProcessEngine:
    """Implements `gateway.matting.Engine` with networks in this process."""

    def __init__(
        self,
        weights: str | None = None,
        device: str = "auto",
        *,
        network: MattingNetwork | None = None,
        capacity: int = CAPACITY,
        make_backend: Callable[[MattingNetwork, Device], Backend[Any]] = open_backend,
    ) -> None:
        """Load, check and warm up; takes seconds.

        Args:
            weights: name of a card or path of a file; the best card for the device if empty.
            device: see `models.device.choose_device`.
            network: use this one instead of loading weights.
            capacity: streams at once.
            make_backend: chooses what runs the network; called on the matting thread.

        Raises:
            WeightsError, DeviceError: what the operator asked for is not there.
        """
        self._capacity = capacity
        self._make_backend = make_backend
        self._device = choose_device(device)
        self._weights = "given"
        if network is None:
            self._weights = weights or default_weights(self._device.kind)
            network = load_network(self._weights)
        self._streams: list[InProcessStream] = []
        self._turns: deque[InProcessStream] = deque()  # streams with waiting calls, once each
        self._changed = threading.Condition()
        self._closing = False
        self._learner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="plate")
        opened: Future[EngineDescription] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(network, opened), name=f"matting-{self._device}", daemon=True
        )
        self._thread.start()
        try:
            self._description = opened.result()
        except BaseException:
            self.close()
            raise

    def open_stream(self) -> InProcessStream:
        """A new stream without plate; raises `MattingError` when the engine is full or closed."""
        with self._changed:
            if self._closing:
                raise MattingError("the engine is closed")
            if len(self._streams) >= self._capacity:
                raise MattingError(f"the engine is full: it serves {self._capacity} streams")
            stream = InProcessStream(self, MattingPipeline(self._backend))
            self._streams.append(stream)
            return stream

    def describe(self) -> EngineDescription:
        """What runs where; does not change."""
        return self._description

    def close(self) -> None:
        """Finish the call at work, fail those that wait, join the threads. May be repeated."""
        with self._changed:
            self._closing = True
            streams = list(self._streams)
            self._changed.notify_all()
        for stream in streams:
            stream.close()
        self._learner.shutdown(wait=True, cancel_futures=True)
        self._thread.join()

    def submit(self, stream: InProcessStream, call: Call[Any]) -> None:
        """Queue a call of a stream; called from any thread."""
        with self._changed:
            if self._closing or stream.closed:
                refusal = "the engine is closed" if self._closing else "the stream is closed"
            elif len(stream.waiting) >= MOST_WAITING:
                refusal = f"{MOST_WAITING} calls of this stream are waiting already"
            else:
                if not stream.waiting:
                    self._turns.append(stream)
                stream.waiting.append(call)
                self._changed.notify()
                return
        call.fail(MattingError(refusal))

    def learn(
        self, future: Future[PlateReport], work: Callable[[], Plate], then: Callable[[Plate], None]
    ) -> None:
        """Make a plate beside the matting thread, then hand it over."""

        def learn() -> None:
            call = Call(future, work)
            plate = call.attempt()
            if plate is not None:
                then(plate)

        try:
            self._learner.submit(learn)
        except RuntimeError:  # the executor has been shut down
            future.set_exception(MattingError("the engine is closed"))

    def remove(self, stream: InProcessStream) -> None:
        """Forget a closed stream; its waiting calls fail."""
        with self._changed:
            if stream.closed:
                return
            stream.closed = True
            waiting, stream.waiting = stream.waiting, deque()
            self._streams.remove(stream)
            if stream in self._turns:
                self._turns.remove(stream)
        for call in waiting:
            call.fail(MattingError("the stream is closed"))

    def _run(self, network: MattingNetwork, opened: Future[EngineDescription]) -> None:
        """The matting thread."""
        try:
            self._device.prepare()
            self._backend: Backend[Any] = self._make_backend(network, self._device)
            description = _describe(self._device, self._backend, self._weights)
        except BaseException as error:
            opened.set_exception(error)
            return
        opened.set_result(description)
        while (call := self._next()) is not None:
            call.run()

    def _next(self) -> Call[Any] | None:
        """The oldest call of the stream whose turn it is; `None` when the engine closes."""
        with self._changed:
            while not self._turns and not self._closing:
                self._changed.wait()
            if self._closing:
                return None
            stream = self._turns.popleft()
            call = stream.waiting.popleft()
            if stream.waiting:
                self._turns.append(stream)
            return call


class InProcessStream:
    """Implements `gateway.matting.MattingStream`."""

    def __init__(self, engine: InProcessEngine, pipeline: MattingPipeline[Any]) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._plates = 0
        self.waiting: deque[Call[Any]] = deque()
        self.closed = False

    def composite(self, source: I420) -> Future[Composite]:
        """The frame with its scene replaced; without a plate, the backdrop only."""
        return self._submit(lambda: self._pipeline.composite(source))

    def learn_plate(self, shots: Sequence[I420]) -> Future[PlateReport]:
        """Learn the scene from frames without a person.

        The Future fails with `PlateRefused` when they do not show one; the old plate stays then.
        """
        kept = list(shots)
        return self._change_plate(lambda: learn_plate(kept))

    def load_plate(self, rgb: NDArray[np.uint8]) -> Future[PlateReport]:
        """Take the scene from a picture (H, W, 3)."""
        return self._change_plate(lambda: load_plate(rgb), proven=False)

    def distrust_plate(self) -> Future[None]:
        """Another camera may be looking: show nobody until the plate has fitted again."""
        return self._submit(self._pipeline.distrust_plate)

    def forget_plate(self) -> Future[None]:
        """Show the backdrop only from the next frame on."""
        self._plates += 1
        return self._submit(lambda: self._pipeline.set_plate(None))

    def plate_picture(self) -> Future[NDArray[np.uint8] | None]:
        """The plate (H, W, 3), RGB; `None` without one."""
        return self._submit(self._copy_plate)

    def set_backdrop(self, backdrop: Backdrop) -> Future[None]:
        """Show this behind the person from the next frame on."""
        return self._submit(lambda: self._pipeline.set_backdrop(backdrop))

    def close(self) -> None:
        """Free the stream's plate and pictures; calls that wait fail. Never blocks."""
        self._engine.remove(self)

    def _submit(self, work: Callable[[], Result]) -> Future[Result]:
        future: Future[Result] = Future()
        self._engine.submit(self, Call(future, work))
        return future

    def _change_plate(
        self, work: Callable[[], Plate], *, proven: bool = True
    ) -> Future[PlateReport]:
        self._plates += 1
        number = self._plates
        future: Future[PlateReport] = Future()

        def install(plate: Plate) -> PlateReport:
            # Made beside the matting thread: a later call must not be undone by an earlier one.
            if number != self._plates:
                raise MattingError("a later call has changed the plate")
            self._pipeline.set_plate(plate, proven=proven)
            return plate.report

        def then(plate: Plate) -> None:
            self._engine.submit(self, Call(future, lambda: install(plate), started=True))

        self._engine.learn(future, work, then)
        return future

    def _copy_plate(self) -> NDArray[np.uint8] | None:
        plate = self._pipeline.plate
        return None if plate is None else plate.rgb.copy()


def open_engine(weights: str | None = None, device: str = "auto") -> InProcessEngine:
    """The engine for these settings; raises `WeightsError` or `DeviceError`."""
    return InProcessEngine(weights, device)


def _describe(device: Device, backend: Backend[Any], weights: str) -> EngineDescription:
    """Also warms up: the sizes most streams have are compiled before the first one comes."""
    if backend.accelerator:
        width, height = 1280, 720
    else:
        width, height = 640, 360
    milliseconds = measure(backend, height, width)
    # Decoding and encoding run on other cores, but not all of the time.
    rate = next((rate for rate in (30, 24, 20) if milliseconds * rate < 850), 15)
    return EngineDescription(
        device=str(device),
        device_name=device.name,
        backend=backend.name,
        weights=weights,
        recommended_width=width,
        recommended_height=height,
        recommended_fps=rate,
    )
