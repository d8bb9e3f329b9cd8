"""One run of `cleanplate bench matting`, from its arguments to its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import torch

from models.backends import Backend, Precision
from models.backends.choice import open_backend
from models.benchmark.contestants import EnginePath, ReferencePath, together
from models.benchmark.floor import count, floor, measure_ceilings
from models.benchmark.governed import Governed, measure_governed
from models.benchmark.programs import (
    Alone,
    Batched,
    make_jobs,
    measure_alone,
    measure_batched,
)
from models.benchmark.race import Result, race
from models.benchmark.scene import Scene, make_scene
from models.benchmark.table import Streams, Table
from models.benchmark.traffic import Traffic, traffic
from models.device import Device, choose_device
from models.engine import InProcessEngine
from models.errors import MattingError
from models.evaluation.command import as_size
from models.graphs.frame import FrameKey
from models.graphs.opening import open_frames
from models.graphs.runner import BATCHES, Memory
from models.machine import machine_name, now, versions
from models.network import Backbone, MattingConfig, MattingNetwork
from models.operating_point import operating_point
from models.processor import busyness
from models.quantisation.ranges import load_ranges
from models.weights import default_weights, load_network

STREAMS: Final = (1, 4, 8)
"""Measured on an accelerator if nothing else is asked for."""


def measure(
    *,
    size: str,
    weights: str | None,
    backbone: Backbone | None,
    device: str,
    precision: Precision | None,
    streams: Sequence[int],
    rate: float | None,
    seconds: float,
    command: str,
    tell: Callable[[str], object] = lambda phase: None,
) -> Table:
    """See `models.benchmark.command`. `tell` hears what is being done.

    Raises:
        MattingError: weights or device are missing, the size is none, or the scene is hidden.
    """
    # Before anything here adds to it.
    others = busyness()
    height, width = as_size(size)
    chosen = choose_device(device)
    tell("opening the network")
    network, name = _network(weights, backbone, chosen)
    scene = make_scene(height, width)
    key = FrameKey(height, width, operating_point(height, width, accelerator=chosen.kind != "cpu"))
    chosen.prepare()
    ranges = None if backbone else load_ranges(name)
    make = partial(open_backend, ranges=ranges, precision=precision)
    engine = _through_the_engine(network, chosen, make, scene, seconds, streams, tell)
    governed = None
    if rate is not None:
        tell(f"holding {rate:g} frames a second for {seconds:g} s")
        governed = _governed(network, chosen, make, scene, rate, seconds)
    tell("programs alone")
    programs = _programs_alone(network, chosen, key, scene, seconds)
    tell("what the device can do at most")
    ceilings = measure_ceilings(chosen)
    work = count(network, _seen(key, engine.looked), chosen.dtype.itemsize)
    rows, columns = key.base_size
    return Table(
        command=command,
        machine=machine_name(chosen),
        date=now(),
        versions=versions(),
        size=f"{width}x{height}",
        weights=name,
        about=f"base {columns}x{rows} for whole frames, {engine.looked:.0%} of each seen, at most "
        f"{16 * key.patches} pixels refined",
        reference=engine.reference,
        engine=engine.engine,
        work=work,
        ceilings=ceilings,
        floor=floor(work, ceilings),
        streams=engine.streams,
        governed=governed,
        alone=programs.alone,
        batched=programs.batched,
        written=programs.written,
        memory=engine.memory,
        stream_bytes=programs.stream_bytes,
        notes=[*engine.notes, *programs.notes, *([others] if others else [])],
    )


@dataclass(slots=True)
class _Engine:
    reference: Result
    engine: Result
    streams: list[Streams]
    memory: Memory | None
    notes: list[str]
    looked: float


@dataclass(slots=True)
class _Programs:
    alone: Alone | None = None
    batched: list[Batched] = field(default_factory=list)
    stream_bytes: int | None = None
    written: Traffic | None = None
    notes: list[str] = field(default_factory=list)


def _network(
    weights: str | None, backbone: Backbone | None, device: Device
) -> tuple[MattingNetwork, str]:
    if backbone is None:
        name = weights or default_weights(device.kind)
        return load_network(name), name
    if weights is not None:
        raise MattingError("take either --weights or --random")
    torch.manual_seed(0)
    network = MattingNetwork(MattingConfig(backbone=backbone)).eval()
    assert network.decoder.conv4.bias is not None
    assert network.refiner.conv4.bias is not None
    with torch.no_grad():
        # Everything is the person: a frame that fits its plate is then shown, not hidden.
        network.decoder.conv4.bias[0] = network.refiner.conv4.bias[0] = 4.0
        network.decoder.conv4.bias[4] = 0.5
    return network, f"{backbone} with random parameters"


def _through_the_engine(
    network: MattingNetwork,
    device: Device,
    make_backend: Callable[[MattingNetwork, Device], Backend[Any]],
    scene: Scene,
    seconds: float,
    streams: Sequence[int],
    tell: Callable[[str], object],
) -> _Engine:
    """The race, and streams at once. Both contestants live at the same time, idle in turns."""
    notes: list[str] = []
    asked = tuple(streams) or (STREAMS if device.kind != "cpu" else ())
    engine = InProcessEngine(device=str(device), network=network, make_backend=make_backend)
    try:
        path = EnginePath(engine, scene)
        tell(f"the reference path and the engine in turns, {seconds:g} s each")
        reference, result = race([ReferencePath(network, device, scene), path], scene, seconds)
        path.close()
        found = []
        for number in asked:
            tell(f"streams at once: {number}, for {seconds:g} s")
            try:
                paths = [EnginePath(engine, scene) for _ in range(number)]
                # Once unmeasured: programs for so many frames are recorded on the way.
                together(paths, scene, min(seconds, 3.0))
                frames, spent = together(paths, scene, seconds)
                found.append(Streams(number, frames / spent))
            except MattingError as error:
                notes.append(f"{number} streams were not measured: {error}")
                break
            for each in paths:
                each.close()
        return _Engine(reference, result, found, engine.memory(), notes, path.looked)
    finally:
        engine.close()


def _seen(key: FrameKey, share: float) -> FrameKey:
    """Of a frame of which the network sees so much; as many patches are refined in it."""
    return key._replace(width=round(key.width * share))


def _governed(
    network: MattingNetwork,
    device: Device,
    make_backend: Callable[[MattingNetwork, Device], Backend[Any]],
    scene: Scene,
    rate: float,
    seconds: float,
) -> Governed:
    engine = InProcessEngine(
        device=str(device), network=network, make_backend=make_backend, rate=rate
    )
    try:
        path = EnginePath(engine, scene)
        return measure_governed(path, scene, rate, seconds)
    finally:
        engine.close()


def _programs_alone(
    network: MattingNetwork, device: Device, key: FrameKey, scene: Scene, seconds: float
) -> _Programs:
    found = _Programs()
    runner = open_frames(network, device)
    if runner is None:
        found.notes.append(f"no programs of whole frames on {device}: frames go in steps")
        return found
    found.stream_bytes = runner.stream_bytes(key)
    found.written = traffic(network, key, fused=runner.fused)
    found.notes.append(f"programs run as {runner.name}")
    try:
        jobs = make_jobs(runner, device, key, scene, BATCHES[-1])
        found.alone = measure_alone(runner, jobs[0], seconds)
        for number in BATCHES:
            found.batched.append(measure_batched(runner, jobs[:number], seconds))
    except MattingError as error:
        found.notes.append(f"larger batches were not measured: {error}")
    return found
