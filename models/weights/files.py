"""Parameters in files: ours (safetensors) and the authors' (`.pth`, TorchScript archives)."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from models.errors import WeightsError
from models.weights.parts import SUFFIX, divide, files_of, part_names
from models.weights.torchscript import is_torchscript, read_torchscript

PREFIX = "model."
"""What the authors' TorchScript exports put before every key."""


def read_state(path: Path) -> dict[str, Tensor]:
    """Parameters by name, as they are in the file, on the processor.

    The path of one part of several stands for all of them. No code of the file runs:
    pickles are read with torch's restricted unpickler, TorchScript archives only for their tensors.

    Raises:
        WeightsError: the file or a part is missing, damaged or of another kind.
    """
    state: dict[str, Tensor] = {}
    for file in files_of(path):
        found = _read(file)
        if twice := state.keys() & found.keys():
            raise WeightsError(
                f"{file.name} holds {min(twice)}, which a part before it holds as well: the parts "
                "are of different weights; fetch them again"
            )
        state |= found
    return state


def _read(path: Path) -> dict[str, Tensor]:
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
        raise WeightsError(
            f"{path.name} cannot be read as weights ({why(error)}): fetch it again, and check "
            "that it is a checkpoint and not a page that was saved by mistake"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path.name} holds something else than named parameters")
    if state and all(name.startswith(PREFIX) for name in state):
        state = {name.removeprefix(PREFIX): tensor for name, tensor in state.items()}
    return state


def why(error: Exception) -> str:
    """What went wrong, in a line; of pickles not torch's own, which advises to run their code."""
    if isinstance(error, pickle.UnpicklingError):
        return "it is no checkpoint, or holds code, which is never run"
    return str(error).split("\n")[0]


def save_state(state: dict[str, Tensor], name: str, folder: Path, limit: int) -> list[Path]:
    """Write safetensors, floating-point parameters in fp16, in parts if one file exceeds `limit`.

    Returns:
        The one file `<name>.safetensors`, or the parts in order.

    Raises:
        WeightsError: a single parameter is larger than `limit` bytes; nothing is written.
    """
    here = {key: tensor.detach().cpu().contiguous() for key, tensor in state.items()}
    halved = {
        key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in here.items()
    }
    groups = divide(halved, limit)
    names = part_names(name, len(groups)) if len(groups) > 1 else [f"{name}{SUFFIX}"]
    paths = [folder / each for each in names]
    folder.mkdir(parents=True, exist_ok=True)
    for group, path in zip(groups, paths, strict=True):
        # Not save_file: what it writes only its owner can read, whatever the umask.
        path.write_bytes(save(group))
    return paths
