"""`python -m models.training base|joint`: train the network stage by stage, look at it, release it.

python -m models.training base  --data DATA --out runs/base --encoder DATA/backbone/FILE
python -m models.training joint --data DATA --out runs/joint --start runs/base
python -m models.training sheet --data DATA --start runs/joint --scenes 12 --out sheet.png
python -m models.training validate --data DATA --start mobilenetv2.rooms-1
python -m models.training release --data DATA --before runs/base --start runs/joint \\
    --name mobilenetv2.TAG --out models/weights
"""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import torch

from models.evaluation.validation import examine, validation_scenes
from models.network import MattingNetwork
from models.scenes.composition import Recipe
from models.scenes.material import people_files, read_pictures, room_files
from models.training.batches import Batches
from models.training.encoder import start_from_imagenet
from models.training.release import VALIDATION_SCALE, release
from models.training.sheet import contact_sheet
from models.training.stage import base_stage, joint_stage, run, window_stage
from models.weights import load_network

VALIDATION_SIZE = (288, 512)


def main() -> None:
    """Parse the command line and run one stage."""
    parser = argparse.ArgumentParser(prog="python -m models.training", description=__doc__)
    parser.add_argument(
        "stage", choices=["base", "joint", "window", "validate", "sheet", "release"]
    )
    parser.add_argument("--data", type=Path, help="folder with people/ and rooms/")
    parser.add_argument("--out", type=Path, help="folder for checkpoints, or the exported file")
    parser.add_argument("--start", type=Path, help="folder of the stage before, or name of a card")
    parser.add_argument("--before", type=Path, nargs="*", default=[], help="stages before --start")
    parser.add_argument("--name", help="of the released weights, <architecture>.<tag>")
    parser.add_argument("--encoder", type=Path, help="ImageNet weights of the encoder")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, help="samples a step, if not the stage's own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenes", type=int, default=60, help="validation scenes")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    network = MattingNetwork()
    if arguments.encoder:
        start_from_imagenet(network, arguments.encoder)
    if arguments.start and not arguments.start.is_dir():
        network = load_network(str(arguments.start))
    elif arguments.start:
        state = torch.load(arguments.start / "checkpoint.pt", weights_only=True)
        network.load_state_dict(state["averaged"])
    scenes = list(validation_scenes(arguments.data, VALIDATION_SIZE, arguments.scenes))
    if arguments.stage == "validate":
        examined = examine(network.with_settings(base_scale=VALIDATION_SCALE), scenes)
        print(asdict(examined))  # noqa: T201 the answer
        return
    if arguments.stage == "release":
        runs = {folder.name: folder for folder in (*arguments.before, arguments.start)}
        card = release(runs, arguments.data, scenes, arguments.name, arguments.out)
        print(f"{card.name}: {dict(card.scores)}")  # noqa: T201 the answer
        return
    if arguments.stage == "sheet":
        sheet = contact_sheet(network.with_settings(base_scale=VALIDATION_SCALE), scenes)
        cv2.imwrite(str(arguments.out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
        return
    stages = {"base": base_stage, "joint": joint_stage, "window": window_stage}
    stage = stages[arguments.stage](arguments.steps)
    if arguments.batch:
        stage = replace(stage, batch=arguments.batch)
    batches = Batches(
        read_pictures(people_files(arguments.data / "people", "train"), 4),
        read_pictures(room_files(arguments.data / "rooms", "train"), 3),
        batch=stage.batch,
        heights=stage.heights,
        widths=stage.widths,
        # Another stage sees other scenes.
        seed=arguments.seed + (0 if stage.kind == "base" else 1),
        steps=stage.steps,
        recipe=Recipe(zoom=stage.zoom),
    )

    def score(average: MattingNetwork) -> dict[str, float]:
        settings = average.with_settings(base_scale=VALIDATION_SCALE)
        if stage.kind == "base":  # the refiner knows nothing yet
            settings = settings.with_settings(refine_pixels=0)
        return asdict(examine(settings, scenes))

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run(stage, network, batches, score, arguments.out, device=device, workers=arguments.workers)


if __name__ == "__main__":
    main()
