"""Everything that has to be measured on a machine with CUDA, in one go: `make bench-gpu`.

Needs nothing but torch, NumPy, OpenCV, safetensors and pytest; on a machine without the project's
own environment: `PYTHONPATH=. python3 -m models.benchmark.gpu --out FOLDER`. Each part runs in its
own process; one that fails, or for which no time is left, is named in the report and the others go
on. `report.md` is the result, with a log and a JSON file of each part beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FEWEST_SECONDS: Final = 30
"""Left over, below which no further part is begun."""

BENCHES: Final = (
    "--size 1920x1080 --weights mobilenetv2.rooms-2",
    "--size 3840x2160 --random resnet50",
    "--size 1280x720 --weights mobilenetv2.rooms-2",
    "--size 1920x1080 --random resnet50",
    "--size 3840x2160 --weights mobilenetv2.rooms-2",
)
"""In the order of their importance: the first two are the targets."""

PROBE: Final = """
import logging, torch
from models.device import choose_device
from models.graphs.opening import open_frames, self_test
from models.graphs.pixels import open_pixels
from models.weights import default_weights, load_network
logging.basicConfig(level=logging.WARNING, format="%(message)s")
device = choose_device({device!r})
device.prepare()
print(f"{{device.name}}; torch {{torch.__version__}}, CUDA {{torch.version.cuda}}")
print("full-size work:", open_pixels(device).name)
network = load_network(default_weights("cpu"))
runner = open_frames(network, device)
print("frames:", "in steps of the backend" if runner is None else runner.name)
if runner is not None:
    print(f"composites off by {{self_test(runner, network, device):.3f}} steps of 255 in the mean")
"""

PROFILE: Final = """
from models.benchmark.profile import as_markdown, profile
from models.device import choose_device
from models.graphs.frame import FrameKey
from models.operating_point import operating_point
from models.weights import default_weights, load_network
device = choose_device({device!r})
device.prepare()
key = FrameKey(1080, 1920, operating_point(1080, 1920, accelerator=True))
for count in (1, 8):
    print(f"\\n{{count}} of 1920x1080\\n")
    print(as_markdown(profile(load_network(default_weights("cpu")), device, key, count)))
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One process, and the name of its log."""

    name: str
    command: list[str]
    shown: bool = True
    """Whether its output belongs into the report, as it is."""


def parts(device: str, seconds: float) -> list[Part]:
    """All of them, in the order of their importance."""
    python = sys.executable
    tests = [python, "-m", "pytest", "-q", "-c", "tests/gpu.ini", "--rootdir", "."]
    benches = []
    for number, each in enumerate(BENCHES, 1):
        command = [python, "-m", "gateway", "bench", "matting", *each.split(), "--device", device]
        command += ["--seconds", f"{seconds:g}", "--markdown", "{log}.md", "--json"]
        benches.append(Part(f"bench-{number}", command, shown=False))
    return [
        Part("probe", [python, "-c", PROBE.format(device=device)]),
        Part("tests", [*tests, "tests/models/test_cuda_frames.py"]),
        *benches[:2],
        Part("profile", [python, "-c", PROFILE.format(device=device)]),
        *benches[2:],
        Part("tests-training", [*tests, "tests/models/test_cuda.py"]),
    ]


def run_part(part: Part, folder: Path, limit: float) -> tuple[str, str]:
    """Run one part; what became of it in a word, and its section of the report."""
    log = folder / part.name
    command = [word.replace("{log}", str(log)) for word in part.command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        output, errors, status = done.stdout, done.stderr, done.returncode
        outcome = "ok" if status == 0 else f"failed ({status})"
    except subprocess.TimeoutExpired as late:
        output, errors = (_text(each) for each in (late.stdout, late.stderr))
        outcome = "out of time"
    log.with_suffix(".log").write_text(output + errors, encoding="utf-8")
    markdown = log.with_suffix(".md")
    if markdown.is_file():
        return outcome, markdown.read_text(encoding="utf-8")
    lines = (output + errors).strip().splitlines()
    if outcome == "ok" and part.shown:
        return outcome, "\n".join(lines[-60:]) + "\n"
    return outcome, "```\n" + "\n".join(lines[-25:]) + "\n```\n"


def main(arguments: list[str] | None = None) -> int:
    """Run all parts; the exit status is 1 if one of them failed."""
    parser = argparse.ArgumentParser(description="Measure everything that needs CUDA.")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the report")
    parser.add_argument("--device", default="cuda", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each measurement")
    parser.add_argument("--minutes", type=float, default=9.5, help="for everything")
    parser.add_argument("--only", default="", metavar="PART,PART", help="e.g. probe,bench-1")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * args.minutes
    outcomes: dict[str, str] = {}
    sections: list[str] = []
    chosen = [
        part
        for part in parts(args.device, args.seconds)
        if not args.only or part.name in args.only.split(",")
    ]
    for part in chosen:
        left = until - time.monotonic()
        if left < FEWEST_SECONDS:
            outcomes[part.name] = "no time left"
            continue
        began = time.monotonic()
        outcomes[part.name], section = run_part(part, args.out, left)
        took = time.monotonic() - began
        sections.append(f"## {part.name}: {outcomes[part.name]}, {took:.0f} s\n\n{section}")
        sys.stdout.write(f"{part.name}: {outcomes[part.name]}, {took:.0f} s\n")
        sys.stdout.flush()
        # After every part: whoever ends this early has what was found until then.
        write_report(args.out, outcomes, sections)
    write_report(args.out, outcomes, sections)
    sys.stdout.write("\n" + "\n".join(sections)[-10_000:] + "\n")
    return 0 if all(outcome == "ok" for outcome in outcomes.values()) else 1


def write_report(folder: Path, outcomes: dict[str, str], sections: list[str]) -> None:
    """What became of each part, then what each has to say."""
    head = "# On a GPU\n\n```json\n" + json.dumps(outcomes, indent=1) + "\n```\n"
    (folder / "report.md").write_text("\n".join([head, *sections]), encoding="utf-8")


def _text(output: bytes | str | None) -> str:
    if output is None:
        return ""
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else output


if __name__ == "__main__":
    sys.exit(main())
