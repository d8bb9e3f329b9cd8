"""Many streams on one device.

One matting thread owns the device. Streams take turns, frame by frame, so none starves; a failure
belongs to its own call and to nobody else's. Where a frame is one program, those of several
streams go through the device together, and while it works on a batch the thread finishes the one
before and prepares the next. Learning a plate takes a tenth of a second of one core and happens on
a second thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from models.backends import Backend
from models.backends.choice import measure, open_backend
from models.batch import Batch
from models.call import Call, FrameCall
from models.device import Device, choose_device
from models.errors import MattingError
from models.governor import Governor, Workload
from models.graphs.frame import FrameKey
from models.graphs.opening import open_frames
from models.graphs.runner import FrameRunner, Memory
from models.network import MattingNetwork
from models.operating_point import operating_point
from models.pipeline import MattingPipeline
from models.plate import Plate
from models.quantisation.ranges import load_ranges
from models.report import EngineDescription, PlateReport
from models.stream import InProcessStream
from models.turns import PATIENCE, Pick, Turns
from models.weights import default_weights, load_network

__all__ = ["InProcessEngine", "InProcessStream", "open_engine"]

logger = logging.getLogger(__name__)

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
        make_backend: Callable[[MattingNetwork, Device], Backend[Any]] | None = None,
        make_frames: Callable[[MattingNetwork, Device], FrameRunner | None] = open_frames,
        rate: float | None = None,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load, check and warm up; takes seconds.

        Args:
            weights: name of a card or path of a file; the best card for the device if empty.
            device: see `models.device.choose_device`.
            network: use this one instead of loading weights.
            capacity: streams at once.
            make_backend: chooses what runs the network; called on the matting thread. The fastest
                one that is right, with the weights' ranges for int8, if not given.
            make_frames: what runs whole frames in one program, where that is possible; as well.
            rate: frames a second that every stream is promised, for which their network may look
                less closely; without it, it never does.
            patience: seconds that a frame waits for those of other streams.
            clock: seconds, for `patience` and `rate`.

        Raises:
            WeightsError, DeviceError: what the operator asked for is not there.
        """
        self._capacity = capacity
        self._make_frames = make_frames
        self._frames: FrameRunner | None = None
        self._device = choose_device(device)
        self._weights, ranges = "given", None
        if network is None:
            self._weights = weights or default_weights(self._device.kind)
            network, ranges = load_network(self._weights), load_ranges(self._weights)
        self._make_backend = make_backend or partial(open_backend, ranges=ranges)
        self._streams: list[InProcessStream] = []
        self._clock = clock
        self._load = None if rate is None else Workload(rate, clock)
        self._turns: Turns[InProcessStream] = Turns(self._limit, patience=patience, clock=clock)
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
        """A new stream without plate.

        Raises:
            MattingError: the engine is full or closed, or the device has no memory for a stream.
        """
        with self._changed:
            if self._closing:
                raise MattingError("the engine is closed")
            if len(self._streams) >= self._capacity:
                raise MattingError(f"the engine is full: it serves {self._capacity} streams")
            if self._frames is not None:
                size = self._description.recommended_height, self._description.recommended_width
                self._frames.require_room(FrameKey(*size, operating_point(*size, accelerator=True)))
            governor = None if self._load is None else Governor(self._load)
            pipeline = MattingPipeline(self._backend, frames=self._frames, governor=governor)
            stream = InProcessStream(self, pipeline)
            self._streams.append(stream)
            self._turns.open(stream)
            return stream

    def describe(self) -> EngineDescription:
        """What runs where; does not change."""
        return self._description

    def memory(self) -> Memory | None:
        """What is held on the device; `None` where frames are no programs."""
        return None if self._frames is None else self._frames.memory()

    def close(self) -> None:
        """Finish the calls at work, fail those that wait, join the threads. May be repeated."""
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
            elif self._turns.waiting(stream) >= MOST_WAITING:
                refusal = f"{MOST_WAITING} calls of this stream are waiting already"
            else:
                self._turns.add(stream, call)
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
            self._streams.remove(stream)
            waiting = self._turns.remove(stream)
        for call in waiting:
            call.fail(MattingError("the stream is closed"))

    def _run(self, network: MattingNetwork, opened: Future[EngineDescription]) -> None:
        """The matting thread."""
        try:
            self._device.prepare()
            self._backend: Backend[Any] = self._make_backend(network, self._device)
            self._frames = self._make_frames(network, self._device)
            description = _describe(self._device, self._backend, self._frames, self._weights)
        except BaseException as error:
            opened.set_exception(error)
            return
        opened.set_result(description)
        self._serve()
        self._backend.close()

    def _serve(self) -> None:
        """Until the engine closes. At most two batches are on the device: one at work, one next."""
        flying: Batch | None = None
        streams: list[InProcessStream] = []
        while (pick := self._next(hurry=flying is not None)) is not None:
            launched = self._start(pick.calls)
            if flying is not None:
                flying.finish()
                self._done(streams)
            flying, streams = launched, pick.at_work
            if flying is not None and not len(flying):  # without a plate all is done at once
                self._done(streams)
                flying = None
        if flying is not None:
            flying.finish()

    def _start(self, calls: list[Call[Any]]) -> Batch | None:
        """Do a call, or launch the frames of a batch."""
        if self._frames is not None:
            frames = [call for call in calls if isinstance(call, FrameCall)]
            if frames:
                return Batch(self._frames, frames)
        for call in calls:
            call.run()
        return None

    def _next(self, *, hurry: bool) -> Pick[InProcessStream] | None:
        """What to do now; `None` when the engine closes.

        In a `hurry`, because a batch is on its way and has to be finished, that may be nothing.
        """
        with self._changed:
            while not self._closing:
                pick = self._turns.pick(hurry=hurry)
                if pick.calls or hurry:
                    return pick
                wait = None if pick.until is None else max(pick.until - self._clock(), 0.0)
                self._changed.wait(wait)
            return None

    def _done(self, streams: list[InProcessStream]) -> None:
        with self._changed:
            self._turns.done(streams)

    def _limit(self, key: FrameKey) -> int:
        return 1 if self._frames is None else self._frames.limit(key)


def open_engine(
    weights: str | None = None, device: str = "auto", rate: float | None = None
) -> InProcessEngine:
    """The engine for these settings; raises `WeightsError` or `DeviceError`."""
    return InProcessEngine(weights, device, rate=rate)


def _describe(
    device: Device, backend: Backend[Any], frames: FrameRunner | None, weights: str
) -> EngineDescription:
    """Also warms up: the sizes most streams have are compiled before the first one comes."""
    if backend.accelerator:
        width, height = 1280, 720
    else:
        width, height = 640, 360
    milliseconds = measure(backend, height, width, frames)
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
