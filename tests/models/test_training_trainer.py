"""A trainer computes in what its device is good at, unless the stage says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from models.device import Device
from models.network import MattingNetwork
from models.training.distributed import Team
from models.training.trainer import Trainer, precision_of
from tests.models.small_plan import small_stage


@dataclass(frozen=True)
class Multiplying(Device):
    """A device of which it is known whether it multiplies bf16 or imitates it."""

    bf16: bool = False

    @property
    def has_bf16(self) -> bool:
        return self.bf16


def device(kind: str, bf16: bool) -> Device:
    return Multiplying(kind, 0, "made up", "for a test", bf16)


@pytest.mark.parametrize(
    ("kind", "bf16", "precision"),
    [
        ("cpu", True, "bf16"),
        ("cpu", False, "fp32"),
        ("cuda", True, "bf16"),
        ("cuda", False, "fp16"),
    ],
)
def test_bf16_is_not_imitated(kind: str, bf16: bool, precision: str) -> None:
    assert precision_of(small_stage(), device(kind, bf16)) == precision


@pytest.mark.parametrize("precision", ["bf16", "fp16", "fp32"])
def test_a_stage_may_insist_on_a_precision(precision: str) -> None:
    assert precision_of(small_stage(precision=precision), device("cpu", False)) == precision


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16"), (False, "fp32")])
def test_a_trainer_asks_its_own_device(bf16: bool, precision: str) -> None:
    trainer = Trainer(small_stage(), MattingNetwork(), Team(device("cpu", bf16)))
    assert trainer.precision == precision
