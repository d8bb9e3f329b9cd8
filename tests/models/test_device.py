"""The device is the one that was asked for, or an error says which there are."""

from __future__ import annotations

import pytest
import torch

from models.device import choose_device, list_devices, processors
from models.errors import DeviceError

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
