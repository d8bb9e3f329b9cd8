"""The tensors of a TorchScript archive, without running any of its code.

`torch.jit.load` would compile and later run what stands in the archive. All that is wanted are
tensors, so its `data.pkl` is read with an unpickler that knows tensors and containers and turns
every other class into a plain record.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

_STORAGES: Final = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}


def is_torchscript(path: Path) -> bool:
    """Whether the file is an archive with code in it."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.split("/")[1:2] == ["code"] for name in archive.namelist())


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Parameters and buffers by their dotted names.

    Raises:
        pickle.UnpicklingError, ValueError, KeyError, RuntimeError: the archive is damaged or holds
            something that no network does.
    """
    with zipfile.ZipFile(path) as archive:
        root = archive.namelist()[0].split("/")[0]
        with archive.open(f"{root}/data.pkl") as file:
            record = _Unpickler(io.BytesIO(file.read()), archive, f"{root}/data").load()
    state: dict[str, Tensor] = {}
    _collect(record, "", state)
    return state


class _Record:
    """Stands in for every class of the archive: attributes by name."""

    fields: dict[str, Any]

    def __setstate__(self, state: Any) -> None:
        self.fields = state if isinstance(state, dict) else {}


class _Unpickler(pickle.Unpickler):
    """Knows tensors and containers; everything else is a record."""

    def __init__(self, file: io.BytesIO, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self._archive, self._folder = archive, folder
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Never imports what the file names."""
        if module == "torch._utils" and name in {"_rebuild_tensor_v2", "_rebuild_parameter"}:
            return _rebuild_tensor if name == "_rebuild_tensor_v2" else _rebuild_parameter
        if module == "torch" and name in _STORAGES:
            return name
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch.jit._pickle":
            return _container
        if module == "__torch__" or module.startswith("__torch__."):
            return _Record
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, pid: Any) -> Tensor:
        """The bytes of one storage as a flat tensor."""
        kind, storage, key, _location, count = pid
        if kind != "storage" or storage not in _STORAGES:
            raise pickle.UnpicklingError(f"unknown storage {storage!r}")
        if key not in self._storages:
            data = bytearray(self._archive.read(f"{self._folder}/{key}"))
            dtype = _STORAGES[storage]
            self._storages[key] = (
                torch.frombuffer(data, dtype=dtype, count=count)
                if count
                else torch.empty(0, dtype=dtype)
            )
        return self._storages[key]


def _rebuild_tensor(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> Tensor:
    return torch.as_strided(storage, size, stride, offset).clone()


def _rebuild_parameter(data: Tensor, *_: Any) -> Tensor:
    return data


def _container(values: Any = None, *_: Any) -> Any:
    return values


def _collect(value: Any, prefix: str, state: dict[str, Tensor]) -> None:
    fields: Callable[[], Any] | None = None
    if isinstance(value, Tensor):
        state[prefix.removesuffix(".")] = value
    elif isinstance(value, _Record):
        fields = getattr(value, "fields", {}).items
    elif isinstance(value, dict):
        fields = value.items
    if fields is not None:
        for name, inner in fields():
            _collect(inner, f"{prefix}{name}.", state)
