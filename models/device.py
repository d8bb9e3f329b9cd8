"""Where networks run. Besides `models.graphs`, the only file that names CUDA."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Final

import torch

from models.errors import DeviceError
from models.processor import processor_has_bf16, processor_name, processors

SUPPORTED: Final = "auto, cpu, cuda or cuda:0, cuda:1, ..."


@dataclass(frozen=True, slots=True)
class Device:
    """One place for networks and how to use it."""

    kind: str
    """`cpu` or `cuda`."""
    index: int
    """Of the accelerator; 0 for the processor."""
    name: str
    """The processor's or accelerator's own name."""
    why: str
    """A sentence for the operator: why this one."""

    @property
    def torch_device(self) -> torch.device:
        """For tensors."""
        return torch.device("cpu") if self.kind == "cpu" else torch.device(self.kind, self.index)

    @property
    def dtype(self) -> torch.dtype:
        """fp16 on accelerators; torch on the processor is fastest, and exact, in fp32."""
        return torch.float32 if self.kind == "cpu" else torch.float16

    @property
    def memory_format(self) -> torch.memory_format:
        """The layout that convolutions like best."""
        return torch.contiguous_format if self.kind == "cpu" else torch.channels_last

    @property
    def has_bf16(self) -> bool:
        """Whether bfloat16 is multiplied here and not imitated, which takes far longer than fp32:
        by processors with AVX512-BF16 or AMX, and GPUs since about 2020."""
        if self.kind == "cpu":
            return processor_has_bf16()
        with torch.cuda.device(self.torch_device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))

    def __str__(self) -> str:
        """`cpu` or `cuda:0`."""
        return str(self.torch_device)

    def wait(self) -> None:
        """Until the device has done what it was given: for clocks."""
        if self.kind == "cuda":
            torch.cuda.synchronize(self.torch_device)

    def memory_bytes(self) -> int | None:
        """Of the accelerator; `None` for a processor, which shares its memory with everybody."""
        if self.kind == "cpu":
            return None
        return int(torch.cuda.get_device_properties(self.torch_device).total_memory)

    def reserved_bytes(self) -> int:
        """What this process holds on the accelerator, in use or kept for later."""
        return 0 if self.kind == "cpu" else int(torch.cuda.memory_reserved(self.torch_device))

    def free_bytes(self) -> int | None:
        """What could be taken there now; `None` for a processor. Called from any thread."""
        if self.kind == "cpu":
            return None
        free, _ = torch.cuda.mem_get_info(self.torch_device)
        kept = torch.cuda.memory_reserved(self.torch_device)
        return int(free + kept - torch.cuda.memory_allocated(self.torch_device))

    def release_memory(self) -> None:
        """Give back what is kept for later: after running out."""
        if self.kind == "cuda":
            torch.cuda.synchronize(self.torch_device)
            torch.cuda.empty_cache()

    def prepare(self) -> None:
        """Once, on the thread that will use the device."""
        if self.kind == "cuda":
            torch.cuda.set_device(self.torch_device)
            # The sizes of a stream stay the same for minutes: the search pays.
            torch.backends.cudnn.benchmark = True
        else:
            torch.set_num_threads(processors())


def choose_device(wanted: str = "auto") -> Device:
    """The device for `wanted`: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        DeviceError: it is not here, or the word is none of these.
    """
    if wanted == "cpu":
        return Device("cpu", 0, processor_name(), "asked for")
    kind, _, number = wanted.partition(":")
    if wanted != "auto" and (kind != "cuda" or (number and not number.isdigit())):
        raise DeviceError(f"unknown device {wanted!r}: use {SUPPORTED}")
    if not torch.cuda.is_available():
        reason = (
            "this torch was built without CUDA"
            if torch.version.cuda is None
            else "the driver shows no CUDA device"
        )
        if wanted == "auto":
            return Device("cpu", 0, processor_name(), reason)
        raise DeviceError(f"{wanted} cannot be used: {reason}; use --device cpu")
    count, index = torch.cuda.device_count(), int(number or 0)
    if index >= count:
        raise DeviceError(f"{wanted} is not there: this machine has cuda:0 to cuda:{count - 1}")
    why = "a CUDA device is present" if wanted == "auto" else "asked for"
    return Device("cuda", index, torch.cuda.get_device_name(index), why)


def list_devices() -> list[Device]:
    """Every device of this machine."""
    accelerators = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found = [
        Device("cuda", i, torch.cuda.get_device_name(i), "present") for i in range(accelerators)
    ]
    return [*found, Device("cpu", 0, processor_name(), "always there")]


def openvino_installed() -> bool:
    """Whether the optional runtime for processors is there; imports nothing."""
    return importlib.util.find_spec("openvino") is not None
