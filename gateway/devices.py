"""`cleanplate devices`: where networks would run here, and why."""

from __future__ import annotations

import argparse
import json
import sys

from models.errors import MattingError

OPERATOR_ERROR = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which device to ask about."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the choice and the alternatives; returns the exit status."""
    # Imports torch, which `--help` must not wait for.
    from models.backends.choice import explain_backend
    from models.device import choose_device, list_devices
    from models.processor import processors
    from models.weights import default_weights

    try:
        chosen = choose_device(args.device)
    except MattingError as error:
        sys.stderr.write(f"cleanplate devices: {error}\n")
        return OPERATOR_ERROR
    try:
        weights, weights_problem = default_weights(chosen.kind), ""
    except MattingError as error:
        weights, weights_problem = "", str(error)
    backend, reason = explain_backend(chosen, weights)
    report = {
        "chosen": str(chosen),
        "name": chosen.name,
        "why": chosen.why,
        "backend": backend,
        "backend_why": reason,
        "weights": weights,
        "cores": processors(),
        "devices": [{"device": str(d), "name": d.name} for d in list_devices()],
    }
    if args.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return 0
    lines = [
        f"device   {chosen} ({chosen.name}): {chosen.why}",
        f"backend  {backend}: {reason}",
        f"weights  {weights or weights_problem}",
        f"cores    {processors()}",
        "",
        "present:",
        *(f"  {device!s:8} {device.name}" for device in list_devices()),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
