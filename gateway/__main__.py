"""The command `cleanplate`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from gateway import __version__

COMMANDS = {
    "serve": ("gateway.serve", "the gateway and its page"),
    "certificate": ("gateway.certificate_command", "make a TLS certificate for a local network"),
    "token": ("gateway.token_command", "make a token that expires"),
    "relay": ("gateway.relay_command", "pull a stream, matte it, push it to another server"),
    "janus": ("gateway.rooms.janus_command", "matte everybody in a VideoRoom of Janus's"),
    "livekit": ("gateway.rooms.livekit_command", "matte everybody in a LiveKit room"),
    "matte": ("gateway.matte", "a picture or a video file"),
    "devices": ("gateway.devices", "what would run here, and why"),
    "weights": (
        "gateway.weights_command",
        "list, verify, import, release, score, calibrate weights",
    ),
    "train": ("models.training.command", "train the network by a plan"),
    "chroma-key": ("models.preparation.chroma_key_command", "training pairs from screen footage"),
    "cut-out": ("models.preparation.cut_out_command", "people out of ordinary photos"),
    "evaluate": ("models.evaluation.command", "how good weights are, side by side"),
    "ablate": ("models.ablation.command", "what pixels, kernel, backbone or data are worth"),
    "bench": ("gateway.bench.command", "speed, measured side by side"),
    "comparators": ("models.evaluation.comparators.command", "what weights are compared with"),
}
"""Module and summary of each; a module has `add_arguments(parser)` and `run(args) -> int`."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line: the usage of some commands fills a screen."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        message = message.replace("the following arguments are required:", "missing:")
        self.exit(2, f"{self.prog}: {message} (all options: {self.prog} --help)\n")


def make_parser(command: str | None) -> argparse.ArgumentParser:
    """Only the module of the given command is imported: some of them take seconds."""
    parser = Parser(
        prog="cleanplate",
        description="Put the person in front of the camera before another backdrop, live.",
    )
    parser.add_argument("--version", action="version", version=f"cleanplate {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        added = commands.add_parser(name, help=summary, description=f"cleanplate {name}: {summary}")
        if name == command:
            importlib.import_module(module).add_arguments(added)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status, 2 for errors that the operator can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = next((word for word in given if word in COMMANDS), None)
    args = make_parser(command).parse_args(given)
    module = importlib.import_module(COMMANDS[args.command][0])
    status: int = module.run(args)
    return status


if __name__ == "__main__":
    sys.exit(main())
