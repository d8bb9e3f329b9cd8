"""Start from an encoder that knows the world: ImageNet weights, or DeepLabV3's of PASCAL VOC."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.serialization import safe_globals

from models.network import MattingNetwork
from models.training.errors import TrainingError
from models.weights.files import why

_DEVIATION = (0.229, 0.224, 0.225)

# Scores beside the weights of the VOC checkpoints are NumPy numbers, which the restricted unpickler
# takes for code unless it is told otherwise; NumPy 2 has moved what builds them.
_NUMBERS: list[Any] = [
    *(
        (np.float64(0).__reduce__()[0], f"numpy.{core}.multiarray.scalar")
        for core in ("core", "_core")
    ),
    np.dtype,
    type(np.dtype(np.float64)),
]


def start_encoder(network: MattingNetwork, file: Path) -> None:
    """Copy what the file knows into `network`; the rest of it stays as it is.

    Of ImageNet weights (torchvision's naming, safetensors or `.pth`) that is the encoder; of
    DeepLabV3 checkpoints trained on PASCAL VOC (`model_state` in a `.pth`) encoder and ASPP, but
    for the first convolution, as the paper's authors did it. No code of the file runs.

    Raises:
        TrainingError: the file is missing, damaged or of another encoder.
    """
    state = _read(file)
    parts = _of_voc(state) if "classifier.classifier.0.project.0.weight" in state else None
    if parts is None:
        parts = {"backbone": _of_imagenet(state, network)}
    kind = network.config.backbone
    for name, own in parts.items():
        module: torch.nn.Module = getattr(network, name)
        expected = module.state_dict()
        first = {"backbone.features.0.0.weight", "backbone.conv1.weight"}
        missing = [
            f"{name}.{key}"
            for key in expected
            if key not in own
            and not key.endswith("num_batches_tracked")
            and f"{name}.{key}" not in first
        ]
        unknown = [f"{name}.{key}" for key in own if key not in expected]
        misshapen = [
            f"{name}.{key}"
            for key in own
            if key in expected and own[key].shape != expected[key].shape
        ]
        if missing or unknown or misshapen:
            wrong = (missing + unknown + misshapen)[:3]
            raise TrainingError(
                f"{file.name} is no encoder for {kind} (differs in {', '.join(wrong)}): give one "
                f"of {kind} as --encoder, or --encoder random"
            )
        module.load_state_dict(own, strict=False)


def _read(file: Path) -> dict[str, Tensor]:
    if not file.is_file():
        raise TrainingError(
            f"there is no encoder {file}: put the weights there, give --encoder FILE, or begin "
            "with --encoder random, which takes far longer"
        )
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        with safe_globals(_NUMBERS):
            state = torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise TrainingError(
            f"{file} cannot be read as weights ({why(error)}): fetch it again"
        ) from error
    state = state.get("model_state", state) if isinstance(state, Mapping) else state
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise TrainingError(f"{file} holds something else than named parameters")
    return dict(state)


def _of_imagenet(state: Mapping[str, Tensor], network: MattingNetwork) -> dict[str, Tensor]:
    """The encoder, its first convolution widened to source and plate.

    It expects normalised RGB, the matting network gets 0..1: the deviation is folded into the
    first convolution, the mean is left to its batch norm. The plate's half of that convolution is
    zero in even channels, which see the source alone, and negated in odd ones, which see the
    difference of source and plate from the first step.
    """
    own = {key: value for key, value in state.items() if not key.startswith(("fc.", "classifier."))}
    expected = network.backbone.state_dict()
    # What torchvision has behind the last block that the matting network keeps.
    own = {k: v for k, v in own.items() if k in expected or not k.startswith("features.18.")}
    for name in ("features.0.0.weight", "conv1.weight"):
        if name in own and own[name].shape[1] == 3:
            first = own[name] / torch.tensor(_DEVIATION).view(1, 3, 1, 1)
            plate = torch.zeros_like(first)
            plate[1::2] = -first[1::2]
            own[name] = torch.cat([first, plate], 1)
    return own


def _of_voc(state: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Encoder and ASPP by the matting network's names.

    The ASPP keeps its weights although its dilations become 3, 6, 9; the first convolution sees
    three channels and is left out.
    """
    parts: dict[str, dict[str, Tensor]] = {"backbone": {}, "aspp": {}}
    for key, value in state.items():
        if key.startswith("classifier.classifier.0."):
            parts["aspp"][key.removeprefix("classifier.classifier.0.")] = value
        elif key.startswith("backbone."):
            # Its MobileNetV2 is in two parts that count on.
            name = re.sub(r"^backbone\.((low|high)_level_features\.)?", "", key)
            split = re.match(r"^backbone\.(low|high)_level_features\.", key)
            name = f"features.{name}" if split else name
            if name not in ("features.0.0.weight", "conv1.weight"):
                parts["backbone"][name] = value
    return parts
