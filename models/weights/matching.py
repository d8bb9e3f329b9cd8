"""From named parameters to the network that they belong to, strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from torch import Tensor

from models.errors import WeightsError
from models.network import MattingConfig, MattingNetwork

NAMED: Final = 3
"""Keys of each kind that an error names: the first ones tell which network it is."""


def recognise(state: Mapping[str, Tensor], origin: str) -> MattingConfig:
    """The configuration whose parameters these are, by their names and shapes.

    Raises:
        WeightsError: they are no matting network's; `origin` names them for the operator.
    """
    if "backbone.features.0.0.weight" in state:
        config = MattingConfig(backbone="mobilenetv2")
    elif "backbone.layer3.22.conv1.weight" in state:
        config = MattingConfig(backbone="resnet101")
    elif "backbone.layer3.0.conv1.weight" in state:
        config = MattingConfig(backbone="resnet50")
    else:
        first = ", ".join(list(state)[:NAMED]) or "nothing"
        raise WeightsError(
            f"{origin} is no background matting network: it has {first}, and no "
            "backbone.features.* (MobileNetV2) or backbone.layer*.* (ResNet)"
        )
    kernel = state["refiner.conv1.weight"].shape[-1] if "refiner.conv1.weight" in state else 3
    return replace(config, refine_kernel=1 if kernel == 1 else 3)


def build_network(
    state: Mapping[str, Tensor], origin: str, settings: Mapping[str, Any] | None = None
) -> MattingNetwork:
    """The network with these parameters, in fp32, for inference.

    Args:
        state: parameters by name, of any floating-point type.
        origin: names them in errors.
        settings: fields of `MattingConfig` from a card; others are ignored.

    Raises:
        WeightsError: parameters are missing, unknown or of the wrong shape; names the first ones.
    """
    known = {field.name for field in fields(MattingConfig)} - {"backbone", "refine_kernel"}
    chosen = {name: value for name, value in (settings or {}).items() if name in known}
    try:
        config = replace(recognise(state, origin), **chosen)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"the card of {origin} has a wrong setting: {error}") from error
    network = MattingNetwork(config)
    expected = network.state_dict()
    _compare(state, expected, origin, config.backbone)
    network.load_state_dict({name: state[name].to(expected[name].dtype) for name in expected})
    return network.eval().requires_grad_(False)


def _compare(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], origin: str, backbone: str
) -> None:
    missing = [name for name in expected if name not in state]
    unknown = [name for name in state if name not in expected]
    misshapen = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in state and state[name].shape != tensor.shape
    ]
    complaints = [
        f"{len(names)} {kind}: {', '.join(names[:NAMED])}{' ...' if len(names) > NAMED else ''}"
        for kind, names in (("missing", missing), ("unknown", unknown), ("misshapen", misshapen))
        if names
    ]
    if not complaints:
        return
    hint = ""
    if missing and all(name.startswith("refiner.") for name in missing):
        hint = " It is a checkpoint of the base stage: train the joint stage, or use its result."
    raise WeightsError(f"{origin} does not fit {backbone}: {'; '.join(complaints)}.{hint}")
