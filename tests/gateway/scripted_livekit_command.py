"""`python -m tests.gateway.scripted_livekit_command --url URL`: the command without networks."""

import argparse
import sys

from gateway.matting import ScriptedEngine
from gateway.rooms.livekit_command import add_arguments, ended, livekit, sdk_join


def main() -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args()
    return ended(lambda: livekit(args, lambda _: ScriptedEngine(), sdk_join))


if __name__ == "__main__":
    sys.exit(main())
