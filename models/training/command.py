"""`cleanplate train PLAN`: train the network by a plan, stage after stage."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from models.errors import MattingError

if TYPE_CHECKING:
    from models.training.plan import Plan

OPERATOR_ERROR: Final = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to train on what, and how long."""
    parser.add_argument(
        "plan", metavar="PLAN", help="name of a plan that comes with Cleanplate, or a .toml file"
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that the plan's folders lie in"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="RUN",
        help="folder of the run; a stage goes on from what is there",
    )
    parser.add_argument("--stage", metavar="NAME", help="only this stage")
    parser.add_argument(
        "--start", metavar="CARD_OR_RUN",
        help="weights, or a stage's folder, that the first stage begins with",
    )  # fmt: skip
    parser.add_argument(
        "--encoder", metavar="FILE",
        help="what the encoder begins with instead of the plan's: ImageNet weights (safetensors), "
        "DeepLabV3 of PASCAL VOC (.pth), or random",
    )  # fmt: skip
    parser.add_argument(
        "--preview", type=Path, metavar="FILE.png",
        help="train nothing; write a sheet of every augmentation and of whole samples",
    )  # fmt: skip
    parser.add_argument(
        "--measure-loader", type=int, metavar="N",
        help="train N steps, keep nothing, and tell how long the device waits for data",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="same seed, same weights")
    parser.add_argument("--steps", type=int, help="end every stage after so many steps")
    parser.add_argument(
        "--limit-minutes", type=float, metavar="M",
        help="stop with a checkpoint after so long; the same command goes on",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, help="processes that make samples")
    parser.add_argument("--threads", type=int, help="processor cores for the network")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Train, preview or measure; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        report = work(args)
    except MattingError as error:
        sys.stderr.write(f"cleanplate train: {error}\n")
        return OPERATOR_ERROR
    if os.environ.get("RANK", "0") != "0":  # of several processes (torchrun) one reports
        return 0
    if args.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return 0
    for name, value in report.items():
        sys.stdout.write(f"{name}: {value}\n")
    return 0


def work(args: argparse.Namespace) -> dict[str, object]:
    """What `run` does; raises `MattingError` with what the operator can do."""
    import cv2
    import torch

    from models.processor import processors
    from models.training.errors import TrainingError
    from models.training.plan import read_plan

    plan = read_plan(args.plan)
    if args.steps is not None:
        if args.steps < 1:
            raise TrainingError(f"--steps must be at least 1, not {args.steps}")
        plan = plan.shortened(args.steps)
    # Loader processes bring the parallelism; OpenCV's own threads would fight with them.
    cv2.setNumThreads(1)
    torch.set_num_threads(args.threads or processors())
    workers = max(processors() - 1, 1) if args.workers is None else args.workers
    if args.preview:
        return _preview(plan, args)
    if args.measure_loader is not None:
        from models.training.measure import measure_loader

        if args.measure_loader < 2:
            raise TrainingError("--measure-loader needs at least 2 steps")
        return measure_loader(
            plan, args.data, args.measure_loader, stage=args.stage, workers=workers,
            device=args.device, seed=args.seed,
        )  # fmt: skip
    if args.out is None:
        raise TrainingError("say where the run goes: --out RUN (or --preview FILE.png)")
    if args.out.exists() and not args.out.is_dir():
        raise TrainingError(f"--out {args.out} is a file: name a folder for the run")
    return _train(plan, args, workers)


def _train(plan: Plan, args: argparse.Namespace, workers: int) -> dict[str, object]:
    from models.training.run import progress, train

    with interruption() as wish:
        folder = train(
            plan, args.data, args.out, stage=args.stage, start=args.start, encoder=args.encoder,
            seed=args.seed, workers=workers, limit_minutes=args.limit_minutes, device=args.device,
            stop=lambda: bool(wish),
        )  # fmt: skip
    done = progress(plan, args.out)
    report: dict[str, object] = {name: f"{at} of {of} steps" for name, (at, of) in done.items()}
    at, of = done[folder.name]
    if at < of:
        report["stopped"] = "before the end; the same command goes on"
    return {**report, "run": str(folder)}


def _preview(plan: Plan, args: argparse.Namespace) -> dict[str, object]:
    from models.training.preview import write_preview

    stage = plan.stage(args.stage) if args.stage else plan.stages[-1]
    write_preview(plan, stage, args.data, args.preview, seed=args.seed)
    return {"preview": str(args.preview)}


@contextmanager
def interruption() -> Iterator[list[int]]:
    """A list that fills with the first Ctrl-C or SIGTERM; the second acts as it always does."""
    wish: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def note(number: int, frame: FrameType | None) -> None:
        wish.append(number)
        for each in signals:
            signal.signal(each, before[each])
        sys.stderr.write("\nstopping after this step or examination; once more stops at once\n")

    for number in signals:
        signal.signal(number, note)
    try:
        yield wish
    finally:
        for number in signals:
            signal.signal(number, before[number])
