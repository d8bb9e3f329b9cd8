"""`python -m tests.gateway.scripted_relay --from URL --to URL`: the command without networks."""

import argparse
import sys

from gateway.matting import ScriptedEngine
from gateway.relay_command import add_arguments, relay


def main() -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return relay(parser.parse_args(), lambda _: ScriptedEngine())


if __name__ == "__main__":
    sys.exit(main())
