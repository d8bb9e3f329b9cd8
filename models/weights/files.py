"""Parameters in files: ours (safetensors) and the authors' (`.pth`, TorchScript archives)."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.errors import WeightsError
from models.weights.torchscript import is_torchscript, read_torchscript

PREFIX = "model."
"""What the authors' TorchScript exports put before every key."""


def read_state(path: Path) -> dict[str, Tensor]:
    """Parameters by name, as they are in the file, on the processor.

    No code of the file runs: pickles are read with torch's restricted unpickler, TorchScript
    archives only for their tensors.

    Raises:
        WeightsError: the file is missing, damaged or of another kind.
    """
    if not path.is_file():
        raise WeightsError(f"there is no file {path}: check the path")
    try:
        if path.suffix == ".safetensors":
            state: object = load_file(path)
        elif is_torchscript(path):
            state = read_torchscript(path)
        else:
            with warnings.catch_warnings():
                # The authors' files are from 2020; how torch stored them then is no news.
                warnings.simplefilter("ignore")
                state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        SafetensorError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        RuntimeError,
        ValueError,
        KeyError,
        EOFError,
        OSError,
    ) as error:
        reason = str(error).split("\n")[0]
        raise WeightsError(
            f"{path.name} cannot be read as weights ({reason}): fetch it again, and check that it "
            "is a checkpoint and not a page that was saved by mistake"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path.name} holds something else than named parameters")
    if state and all(name.startswith(PREFIX) for name in state):
        state = {name.removeprefix(PREFIX): tensor for name, tensor in state.items()}
    return state


def save_state(state: dict[str, Tensor], path: Path) -> None:
    """Write safetensors, floating-point parameters in fp16."""
    halved = {
        name: tensor.detach().cpu().half() if tensor.is_floating_point() else tensor.detach().cpu()
        for name, tensor in state.items()
    }
    save_file({name: tensor.contiguous() for name, tensor in halved.items()}, path)
