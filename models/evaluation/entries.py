"""What a command line names, opened as contenders: cards, files and runs that still go on."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import torch

from models.backends import Precision
from models.device import Device
from models.errors import MattingError, WeightsError
from models.evaluation.backend_contender import BackendContender
from models.evaluation.contender import Contender, WeightsContender
from models.operating_point import operating_point
from models.weights.card import checksum
from models.weights.files import why
from models.weights.matching import build_network

CHECKPOINT: Final = "checkpoint.pt"


def open_weights(
    words: Sequence[str],
    device: Device,
    size: tuple[int, int],
    *,
    base_scale: float | None = None,
    refine_pixels: int | None = None,
    backends: Sequence[Literal["torch"] | Precision] = ("torch",),
) -> list[Contender]:
    """Contenders for names of cards, files of weights, checkpoints and folders of a stage.

    Args:
        words: as given on the command line.
        device: where they run.
        size: rows and columns of the frames. Without other settings everybody is examined at the
            operating point of a processor, so that scores do not depend on the machine.
        base_scale: side of the base network's input over side of the frame.
        refine_pixels: pixels that are refined.
        backends: what runs all of them: torch on `device`, or OpenVINO in a precision.

    Raises:
        WeightsError: there are no such weights, or they are damaged.
        DeviceError: OpenVINO is not here, or the card has no ranges for int8.
        MattingError: two of them have one name, or a setting is out of range.
    """
    point = operating_point(*size, accelerator=False)
    scale = point.base_scale if base_scale is None else base_scale
    pixels = point.refine_pixels if refine_pixels is None else refine_pixels
    try:
        return [
            _open(word, device, scale, pixels)
            if backend == "torch"
            else BackendContender.load(word, backend, scale, pixels)
            for word in words
            for backend in backends
        ]
    except ValueError as error:
        raise MattingError(f"{error}; change --base-scale or --refine-pixels") from error


def check_names(contenders: Sequence[Contender]) -> None:
    """Raises `MattingError` where two have one name: their columns could not be told apart."""
    twice = [name for name, count in Counter(c.name for c in contenders).items() if count > 1]
    if twice:
        raise MattingError(f"{twice[0]} is named twice; name each set of weights once")


def _open(word: str, device: Device, base_scale: float, refine_pixels: int) -> Contender:
    path = Path(word)
    if path.is_dir():
        path = path / CHECKPOINT
        if not path.is_file():
            stages = sorted(str(file.parent) for file in Path(word).glob(f"*/{CHECKPOINT}"))
            hint = f"name one of its stages: {', '.join(stages)}" if stages else "name a run"
            raise WeightsError(f"there is no {CHECKPOINT} in {word}; {hint}")
    if path.suffix in (".pt", ".pth") and path.is_file():
        state = _read(path)
        if isinstance(state.get("averaged"), dict):
            return _checkpoint(path, state, device, base_scale, refine_pixels)
    return WeightsContender.load(word, device, base_scale=base_scale, refine_pixels=refine_pixels)


def _checkpoint(
    path: Path, state: dict[str, Any], device: Device, base_scale: float, refine_pixels: int
) -> WeightsContender:
    """The moving average of a run, in half precision as it would be released."""
    name = f"{path.resolve().parent.name}-{state.get('step', 0)}"
    network = build_network(
        {k: v.half() if v.is_floating_point() else v for k, v in state["averaged"].items()}, name
    )
    # After the base stage the refiner knows nothing yet.
    base_only = dict(state.get("stage", {})).get("kind") == "base"
    return WeightsContender(
        network.to(device.torch_device, device.dtype),
        name,
        base_scale,
        0 if base_only else refine_pixels,
        checksum(path),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError, ValueError) as error:
        raise WeightsError(
            f"{path} cannot be read as a checkpoint ({why(error)}): name a run that was saved whole"
        ) from error
    return state if isinstance(state, dict) else {}
