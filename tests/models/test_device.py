"""The device is the one that was asked for, or an error says which there are."""

from __future__ import annotations

import pytest
import torch

from models.device import choose_device, list_devices
from models.errors import DeviceError
from models.processor import busy, gains_by_int8, multiplies_bf16, processors

CUDA = torch.cuda.is_available()


def test_the_processor_is_always_there():
    device = choose_device("cpu")
    assert str(device) == "cpu"
    assert device.name
    assert device.dtype == torch.float32
    assert str(list_devices()[-1]) == "cpu"
    assert processors() >= 1


@pytest.mark.skipif(CUDA, reason="here the accelerator would be chosen")
def test_without_an_accelerator_auto_is_the_processor_and_says_why():
    device = choose_device("auto")
    assert device.kind == "cpu"
    assert "CUDA" in device.why
    with pytest.raises(DeviceError, match="--device cpu"):
        choose_device("cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not CUDA, reason="needs a CUDA device")
def test_with_an_accelerator_auto_takes_it_in_half_precision():
    device = choose_device("auto")
    assert str(device) == "cuda:0"
    assert device.dtype == torch.float16
    with pytest.raises(DeviceError, match="cuda:99"):
        choose_device("cuda:99")


@pytest.mark.parametrize("word", ["gpu", "cuda:x", "", "cpu:0"])
def test_other_words_are_refused(word: str):
    with pytest.raises(DeviceError, match="unknown device"):
        choose_device(word)


@pytest.mark.parametrize(
    ("flags", "multiplies"),
    [
        ("flags\t\t: fpu sse2 avx2 avx512f avx512_vnni", False),
        ("flags\t\t: fpu sse2 avx2 avx512f avx512_bf16", True),
        ("flags\t\t: fpu sse2 avx2 amx_bf16 amx_tile", True),
        ("Features\t: fp asimd", False),
    ],
)
def test_only_a_processor_that_names_the_instructions_multiplies_bf16(flags: str, multiplies: bool):
    assert multiplies_bf16(["processor\t: 0", "model name\t: avx512_bf16", flags]) == multiplies


@pytest.mark.parametrize(
    ("flags", "gains"),
    [
        ("flags\t\t: fpu sse2 avx avx2", True),
        ("flags\t\t: fpu sse2 avx2 avx_vnni", True),
        ("flags\t\t: fpu sse2 avx2 avx512f avx512_vnni", True),
        ("flags\t\t: fpu sse2 avx2 avx512f avx512_vnni avx512_bf16", False),
        ("flags\t\t: fpu sse2 avx", False),
        ("Features\t: fp asimd asimddp", False),
    ],
)
def test_bytes_are_for_processors_with_wide_ones_and_without_bf16(flags: str, gains: bool):
    assert gains_by_int8(["processor\t: 0", "model name\t: avx2", flags]) == gains


def test_a_machine_with_more_to_do_than_cores_is_called_busy():
    assert busy(1.9, 2) is None
    assert "load average 3.1 on 2 cores" in (busy(3.14, 2) or "")
