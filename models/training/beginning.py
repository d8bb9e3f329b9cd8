"""What a stage begins with: the stage before, given weights, or an encoder."""

from __future__ import annotations

from pathlib import Path

from models.network import MattingNetwork
from models.training.checkpoint import read_checkpoint
from models.training.encoder import start_encoder
from models.training.errors import TrainingError
from models.training.plan import RANDOM, Plan
from models.training.record import encoder_checksum
from models.training.stage import Stage
from models.weights import load_network


def begin(
    plan: Plan, stage: Stage, data: Path, out: Path, start: str | Path | None
) -> tuple[MattingNetwork, str]:
    """The network that a stage begins with, and in words where it comes from.

    Args:
        plan: whose network it is.
        stage: that is going to train.
        data: the folder of the material, where the plan's encoder lies.
        out: the run, where the stage before may be.
        start: a card, a file of weights or a stage's folder; goes before everything else.

    Raises:
        TrainingError, WeightsError: what it should begin with is missing or does not fit.
    """
    place = plan.stages.index(stage)
    if read_checkpoint(out / stage.name) is not None:
        return plan.network(), "its checkpoint"  # which overwrites all of it
    if start is not None:
        folder = Path(start)
        network = load_run(folder, plan) if folder.is_dir() else load_network(start)
        fresh = plan.network()
        try:
            fresh.load_state_dict(network.state_dict())
        except RuntimeError as error:
            raise TrainingError(
                f"{start} is not of the plan's network, {plan.architecture}: give another --start"
            ) from error
        return fresh, folder.name
    if place:
        before = plan.stages[place - 1].name
        return load_run(out / before, plan), before
    network = plan.network()
    if not plan.encoder:
        return network, RANDOM
    file = data / plan.encoder
    start_encoder(network, file)
    return network, encoder_checksum(file)


def load_run(folder: Path, plan: Plan | None = None) -> MattingNetwork:
    """What a stage has made so far: its moving average, on the processor.

    Args:
        folder: the stage's.
        plan: whose network it is; MobileNetV2 as published if not given.

    Raises:
        TrainingError: there is no checkpoint, or one of another network.
    """
    checkpoint = read_checkpoint(folder)
    if checkpoint is None:
        raise TrainingError(f"there is no checkpoint in {folder}: train that stage first")
    network = plan.network() if plan else MattingNetwork()
    try:
        network.load_state_dict(checkpoint.averaged)
    except RuntimeError as error:
        raise TrainingError(
            f"{folder} holds a network that is not {network.config.backbone}: "
            "give the plan it was trained by"
        ) from error
    return network
