"""`python -m tests.gateway.scripted_server --port N`: the real server without networks.

For looking at the page while no weights are at hand, and for tests of the process itself.
"""

import argparse
import os
import sys

from gateway.matting import ScriptedEngine
from gateway.serve import add_arguments, complain, serve
from gateway.settings import SettingsError
from gateway.settings_sources import load


def main() -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args()
    try:
        settings = load(config=args.config, environment=os.environ, command_line=vars(args))
        return serve(settings, lambda _: ScriptedEngine())
    except SettingsError as error:
        return complain(str(error))


if __name__ == "__main__":
    sys.exit(main())
